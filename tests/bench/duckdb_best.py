"""The yardstick: DuckDB's best bare ``read_json`` → Parquet, 19 columns, nothing interpreted. ``duckdb_best.py FOLDER OUT THREADS``."""

from __future__ import annotations

import sys

import duckdb

_ISSUER = "STRUCT(arn VARCHAR)"
_IDENTITY = (
    "STRUCT(type VARCHAR, arn VARCHAR, accountId VARCHAR, accessKeyId VARCHAR, invokedBy VARCHAR, "
    f"sessionContext STRUCT(sessionIssuer {_ISSUER}))"
)
COLUMNS = {
    "eventID": "VARCHAR", "eventTime": "TIMESTAMP", "awsRegion": "VARCHAR", "eventSource": "VARCHAR", "eventName": "VARCHAR",
    "eventCategory": "VARCHAR", "eventType": "VARCHAR", "readOnly": "BOOLEAN", "recipientAccountId": "VARCHAR",
    "sharedEventID": "VARCHAR", "errorCode": "VARCHAR", "errorMessage": "VARCHAR", "sourceIPAddress": "VARCHAR",
    "userAgent": "VARCHAR", "userIdentity": _IDENTITY, "requestParameters": "JSON",
    "resources": 'STRUCT("ARN" VARCHAR, type VARCHAR)[]',
}  # fmt: skip

folder, out, threads = sys.argv[1:]
con = duckdb.connect()
con.execute(f"SET threads = {int(threads)}")
con.execute("SET preserve_insertion_order = false")
record = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
con.execute(
    f"""COPY (
        SELECT r.* EXCLUDE (userIdentity), r.userIdentity.type AS identity_type, r.userIdentity.arn AS arn,
               r.userIdentity.accessKeyId AS access_key_id, r.userIdentity.sessionContext.sessionIssuer.arn AS role
        FROM (SELECT unnest("Records") AS r FROM read_json('{folder}/**/*.json.gz', columns = {{'Records': 'STRUCT({record})[]'}},
              records = true, auto_detect = false, maximum_object_size = 67108864))
    ) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"""
)
