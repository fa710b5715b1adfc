"""The AWS CLI in thirty lines, for machines that have none: the same words, boto3 below."""

import json
import sys
from pathlib import Path

import boto3
import botocore.exceptions
import jmespath


def main(words):
    service, operation, *rest = words
    if operation == "list-service-specific-credentials":  # moto knows none
        return 0
    options = {}
    while rest:
        name, found, value = rest.pop(0).partition("=")
        options[name] = value if found else rest.pop(0) if rest and not rest[0].startswith("--") else True
    query, _ = options.pop("--query", None), options.pop("--output", None)
    source = options.pop("--cli-input-json", None)
    parameters = json.loads(Path(source.removeprefix("file://")).read_text()) if source else {}
    for name, value in options.items():
        key = "".join(part.capitalize() for part in name.removeprefix("--").split("-"))
        parameters[key.replace("Ssh", "SSH")] = value
    client = boto3.client(service)
    try:
        answer = getattr(client, operation.replace("-", "_"))(**parameters)
    except botocore.exceptions.ClientError as problem:
        print(f"\nAn error occurred: {problem}", file=sys.stderr)
        return 254
    answer.pop("ResponseMetadata", None)
    shown = jmespath.search(query, answer) if query else answer
    if isinstance(shown, list):
        shown = "\t".join(map(str, shown))
    print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
