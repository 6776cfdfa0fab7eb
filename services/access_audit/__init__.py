"""The access audit: decides, records and proves every access to personal data.

Where to find things:

    server, servicer_*      composition and the gRPC edge
    operations_*            one class per group of RPCs; validates and waits for the committer
    committer, transaction  the one writer: batches jobs, one transaction per organization
    job_*                   what one request does inside that transaction
    storage_*, tables       SQL, as plain functions over a connection
    domain/                 pure: questions, leaves, entries, tiles
    vault, signer           pseudonyms and checkpoints under the root secrets
    register_sink           register versions as the inventory sends them
    startcheck              what is compared before the service answers
"""
