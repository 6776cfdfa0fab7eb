"""The SDK: typed calls to the three services, synchronous and asynchronous."""
