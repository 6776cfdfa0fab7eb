"""crypto: encrypts fields, and opens them only for a purpose that is allowed and on record.

Where to find things:

    server, servicer/         composition and the gRPC edge
    operations/               Encrypt, Decrypt, and the destructions that people ask for
    destruction_steps         the resumable steps of a destruction; destruction_worker runs them
    keys, keystore, cache     key rows to pair keys: found, unwrapped, derived, kept for a while
    opening                   one envelope to its value or mask, in memory
    audit, logs               what is asked of access_audit, and what is believed of its log
    registers, tenants        the register in effect, and what is known of each organization
    storage/, tables          SQL, as plain functions over a connection
    domain/                   pure: bindings, key names, proofs
    selftest                  known answers and canaries before the service answers
"""
