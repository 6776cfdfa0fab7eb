"""The inventory service: drafts, versions and exports of each organization's register.

Where to find things:

    server, servicer          composition and the gRPC edge
    operations/               drafts, versions and exports
    export/                   workbooks, CSV and JSON
    watch                     who waits for new versions
    storage, tables           SQL, as plain functions over a connection
    domain/                   pure: what may follow what
"""
