"""The inventory service: drafts, versions and exports of each organization's register."""
