"""The access audit: decides, records and proves every access to personal data.

Where to find things:

    server, parts, servicer/  composition and the gRPC edge
    operations/               one class per group of RPCs; validates and waits for the committer
    committer, transaction    the one writer: batches jobs, one transaction per organization
    jobs/                     what one request does inside that transaction
    facts, ground, shelf      what a decision is told: cases and counts, register and rules
    storage/, tables          SQL, as plain functions over a connection
    domain/                   pure: questions, leaves, entries, tiles
    vault, signer             pseudonyms and checkpoints under the root secrets
    register_sink             register versions as the inventory sends them
    startcheck                what is compared before the service answers
"""
