"""Hosting of the three services: no domain noun lives here.

Where to find things:

    settings       ServiceSettings, load_settings: EMANET_RUNTIME_* and a service's own names
    command        ServiceDefinition, Host, run: `python -m services.X init|…|serve`
    serve          Service, Registration, serve: what a server hosts, drain, reflection
    configuration  render_configuration: docs/configuration.md
    database       Database.open, read, write, read_now, write_now, connection, truncate_wal
    migrate        upgrade, has_pending, find_drift: alembic per service
    errors         status_of (also per-item status), as_emanet_error
    authorisation  Row, Staffing, Duty, AuthorisationTable, render: who may call which RPC
    request        caller(), staff(), require_staff(): who calls, inside a handler
    identity       Peer, peer_of: the SPIFFE id of the certificate
    principals     Principals, PrincipalsFile: principals.yaml, reloaded
    keyset         read_key_set: an issuer's public keys
    tokens         Staff, TokenVerifier.verify: staff tokens (JWT)
    gate           Gate: who may go on
    interceptors   GateInterceptor: the one interceptor, in the order of the API conventions
    required       find_missing: REQUIRED fields from descriptors
    probe          require_serving: the health check of containers
    health         HealthMonitor, HealthCheck, Latch: health that tells the truth
    primitives     sha256, hmac_sha256, hkdf_sha256, GcmSiv, Ed25519Signer, argon2id
    keyring        PassphraseKeyring, EpochKey: epoch keys outside the database
    epochfile      the layout of their files
    secrets        create_secret, read_key, read_passphrase: root secret files
    files          create_file, replace_file: atomic, durable, mode 0600
    tls            server_credentials: mTLS, renewed certificates picked up
    logs           configure_logging: structlog JSON with the redactor
"""
