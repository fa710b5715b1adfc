"""What the roles of the proving ground need: truth first, from which alone the log is sampled.

An archetype (service, pipeline, report, deploy, people, …) is a list of needs. Rare needs are drawn from what
clients of a service do on errors, retries, roll-backs and clean-ups, and in part from its catalogue at random, so that
no table of companions can know them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.catalog.actions import access_level, expand, resource_types
from trailfit.catalog.observability import observability
from trailfit.demo.proving_resources import Fixed, Fresh, Growing, Resources, births
from trailfit.demo.proving_time import Cadence, Rhythm

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from trailfit.demo.proving_names import Names

DAYS = 420


@dataclass(frozen=True, slots=True)
class Need:
    """Actions that a role may use on resources, when its cadence says so; `calls` is the mean a run and ARN."""

    actions: tuple[str, ...]
    resources: Resources
    cadence: Cadence
    calls: int = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role works: its account, region and app, and how its organisation names things."""

    account: str
    region: str
    app: str
    names: Names
    rng: Random

    def arn(self, service: str, rest: str) -> str:
        """Write an ARN of the place's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def name(self, thing: str) -> str:
        """Name a thing of the app in the roles' environment."""
        return self.names.name(self.app, thing)

    def things(self, count: int) -> list[str]:
        """Draw words for things."""
        return self.rng.sample(self.names.grammar.things, count)


_ANY = Fixed("*", ("*",))
#: Rare actions by the kind of resource: error paths, retries, roll-backs, repairs.
RARE: dict[str, tuple[str, ...]] = {
    "s3:object": ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:DeleteObject", "s3:GetObjectTagging",
                  "s3:PutObjectTagging", "s3:GetObjectVersion", "s3:RestoreObject"),
    "s3:bucket": ("s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"),
    "dynamodb:table": ("dynamodb:BatchWriteItem", "dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:DescribeTable",
                       "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "dynamodb:UpdateTimeToLive"),
    "sqs:queue": ("sqs:ChangeMessageVisibility", "sqs:PurgeQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
                  "sqs:StartMessageMoveTask"),
    "sns:topic": ("sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:Subscribe"),
    "kms:key": ("kms:GenerateDataKey", "kms:DescribeKey", "kms:ReEncryptFrom", "kms:Encrypt"),
    "secretsmanager:Secret": ("secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"),
    "ssm:parameter": ("ssm:GetParameterHistory", "ssm:GetParameters", "ssm:PutParameter"),
    "lambda:function": ("lambda:GetFunctionConfiguration", "lambda:PublishVersion", "lambda:UpdateAlias",
                        "lambda:GetFunction", "lambda:PutFunctionConcurrency"),
    "cloudformation:stack": ("cloudformation:ContinueUpdateRollback", "cloudformation:CancelUpdateStack",
                             "cloudformation:DeleteStack", "cloudformation:DeleteChangeSet",
                             "cloudformation:DescribeStackResources", "cloudformation:RollbackStack"),
    "ec2:instance": ("ec2:RebootInstances", "ec2:GetConsoleOutput", "ec2:ModifyInstanceAttribute",
                     "ec2:TerminateInstances"),
    "states:stateMachine": ("states:DescribeStateMachine", "states:ListExecutions"),
    "glue:job": ("glue:BatchStopJobRun", "glue:GetJobRuns", "glue:GetJob"),
    "ecs:service": ("ecs:DescribeServices", "ecs:UpdateService"),
    "kinesis:stream": ("kinesis:DescribeStreamSummary", "kinesis:UpdateShardCount"),
    "rds:db": ("rds:RebootDBInstance", "rds:DescribeDBLogFiles"),
}  # fmt: skip


def tables(place: Place, count: int) -> Fixed:
    """Name DynamoDB tables of the app."""
    return Fixed("dynamodb:table", tuple(place.arn("dynamodb", f"table/{place.name(t)}") for t in place.things(count)))


def queues(place: Place, count: int) -> Fixed:
    """Name SQS queues of the app."""
    return Fixed("sqs:queue", tuple(place.arn("sqs", place.name(thing)) for thing in place.things(count)))


def topics(place: Place, count: int) -> Fixed:
    """Name SNS topics of the app."""
    return Fixed("sns:topic", tuple(place.arn("sns", place.name(thing)) for thing in place.things(count)))


def key(place: Place) -> Fixed:
    """Draw a KMS key: its name is a UUID, and yet it is one and the same for ever."""
    return Fixed("kms:key", (place.arn("kms", f"key/{place.names.identifier(place.rng, 'uuid')}"),))


def secrets(place: Place, count: int) -> Fixed:
    """Name secrets, with the six characters that Secrets Manager appends."""
    suffixes = ["".join(place.rng.choices("abcdefghijkLMNOPQRSTUVWXYZ0123456789", k=6)) for _ in range(count)]
    return Fixed(
        "secretsmanager:Secret",
        tuple(
            place.arn("secretsmanager", f"secret:{place.name(thing)}-{suffix}")
            for thing, suffix in zip(place.things(count), suffixes, strict=True)
        ),
    )


def parameters(place: Place, count: int) -> Fixed:
    """Name SSM parameters in a tree."""
    leaves = [f"{thing}/{leaf}" for thing in place.names.grammar.things for leaf in ("url", "limit", "mode", "key")]
    root = f"{place.names.environments[0]}/{place.app}"
    return Fixed(
        "ssm:parameter",
        tuple(place.arn("ssm", f"parameter/{root}/{leaf}") for leaf in place.rng.sample(leaves, count)),
        skew=0.6,
    )


def one_bucket(bucket: str) -> Fixed:
    """Name one bucket."""
    return Fixed("s3:bucket", (f"arn:aws:s3:::{bucket}",))


def keys(place: Place, bucket: str, prefix: str) -> Fresh:
    """Draw a way in which keys under a prefix keep coming: by date, identifier, both, or hash."""
    names, rng = place.names, place.rng
    end = rng.choice((".json", ".csv", ".parquet", ".gz", ""))
    inner = rng.choice(("{date}/{id}", "{date}/{id}", "{id}", "{date}", "{date}/data-{small}", "{hash2}/{hash}"))
    return Fresh(
        "s3:object",
        f"arn:aws:s3:::{bucket}/{prefix}/{inner}{end}",
        names,
        rng.choice(names.dates),
        rng.choice(names.ids),
    )


def shards(place: Place, bucket: str, prefix: str) -> Fixed:
    """Name a bounded set of numbered objects."""
    form = place.rng.choice(place.names.grammar.shards)
    count = place.rng.choice((8, 12, 16))
    return Fixed("s3:object", tuple(f"arn:aws:s3:::{bucket}/{prefix}/{form.format(n)}" for n in range(count)), skew=0.3)


def tenants(place: Place, bucket: str, growing: bool) -> Resources:
    """Name one object tree a tenant: a closed list of tenants, or one that grows, of equal look."""
    words = place.names.grammar.tenants
    form = place.rng.choice(("{}/config.json", "tenants/{}/state.json", "{}/in/latest.csv"))

    def make(number: int) -> str:
        word = words[number % len(words)] + ("" if number < len(words) else str(number // len(words) + 1))
        return f"arn:aws:s3:::{bucket}/{form.format(word)}"

    if not growing:
        return Fixed("s3:object", tuple(make(number) for number in range(place.rng.randrange(4, 9))), skew=0.5)
    born = births(place.rng, place.rng.randrange(3, 7), place.rng.choice((0.03, 0.08, 0.15)), DAYS)
    return Growing("s3:object", make, (f"arn:aws:s3:::{bucket}/{form.format('*')}",), born)


def instances(place: Place) -> Growing:
    """Draw a fleet of EC2 instances that come and go."""
    born = births(place.rng, 3, place.rng.choice((0.2, 0.6)), DAYS)
    ids = [f"{place.rng.getrandbits(68):017x}" for _ in born]
    arns = [place.arn("ec2", f"instance/i-{each}") for each in ids]
    return Growing("ec2:instance", lambda n: arns[n], tuple(arns), born, life=place.rng.choice((5, 20)))


def review_stacks(place: Place) -> Growing:
    """Name the stacks of branches under review: numbers go up, each lives a few days."""
    form = place.rng.choice(place.names.grammar.branches)
    born = births(place.rng, 2, 0.5, DAYS)
    base = place.rng.randrange(100, 900)
    ids = [place.names.identifier(place.rng, "uuid") for _ in born]
    app = place.names.name(place.app)

    def make(number: int) -> str:
        return place.arn("cloudformation", f"stack/{app}-{form.format(base + number)}/{ids[number]}")

    return Growing(
        "cloudformation:stack", make, (place.arn("cloudformation", f"stack/{app}-{form.format('*')}/*"),), born, life=6
    )


# --- archetypes -------------------------------------------------------------------------------------------


def _service(place: Place) -> list[Need]:
    rng, steady = place.rng, Cadence("hourly")
    needs = [
        Need(
            tuple(rng.sample(("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"), 3)),
            tables(place, rng.randrange(1, 5)),
            steady,
            40,
        ),
        Need(("secretsmanager:GetSecretValue",), secrets(place, rng.randrange(1, 3)), Cadence("daily")),
        Need(("kms:Decrypt",), key(place), Cadence("daily"), 30),
        Need(
            ("logs:CreateLogStream",),
            Fresh(
                "logs:log-stream",
                place.arn("logs", f"log-group:/aws/lambda/{place.name('')}:log-stream:{{date}}/[$LATEST]{{id}}"),
                place.names,
                "%Y/%m/%d",
                "hex32",
            ),
            Cadence("daily"),
        ),
    ]
    if rng.random() < 0.5:
        needs.append(Need(("sqs:ReceiveMessage", "sqs:DeleteMessage"), queues(place, 1), steady, 60))
    if rng.random() < 0.5:
        needs.append(Need(("sqs:SendMessage",), queues(place, rng.randrange(1, 4)), steady, 20))
    if rng.random() < 0.4:
        needs.append(Need(("sns:Publish",), topics(place, 1), Cadence("daily"), 10))
    if rng.random() < 0.4:
        bucket = place.names.bucket(place.app, place.things(1)[0])
        needs.append(Need(("s3:PutObject", "s3:GetObject"), keys(place, bucket, place.things(1)[0]), steady, 2))
    return needs


def _pipeline(place: Place) -> list[Need]:
    rng = place.rng
    source, sink = (place.names.bucket(place.app, thing) for thing in place.things(2))
    into, out = place.things(2)
    pace: Rhythm = rng.choice(("hourly", "daily", "daily", "weekly"))
    needs = [
        Need(("s3:GetObject",), keys(place, source, into), Cadence(pace), 4),
        Need(("s3:PutObject",), keys(place, sink, out), Cadence(pace), 4),
        Need(("s3:ListBucket",), one_bucket(source), Cadence(pace)),
    ]
    if rng.random() < 0.5:
        needs.append(Need(("s3:GetObject",), shards(place, source, "ref"), Cadence("daily")))
    if rng.random() < 0.5:
        job = place.arn("glue", f"job/{place.name(into)}")
        needs.append(Need(("glue:StartJobRun", "glue:GetJobRun"), Fixed("glue:job", (job,)), Cadence("daily")))
    if rng.random() < 0.4:
        needs.append(Need(("kms:Decrypt", "kms:GenerateDataKey"), key(place), Cadence(pace), 8))
    return needs


def _report(place: Place) -> list[Need]:
    rng = place.rng
    pace: Rhythm = rng.choice(("weekly", "monthly", "monthly", "quarterly"))
    at = Cadence(pace, phase=rng.randrange(84))
    bucket = place.names.bucket(place.app, place.things(1)[0])
    thing, other = place.things(2)
    fresh = Fresh(
        "s3:object", f"arn:aws:s3:::{bucket}/{thing}/{{date}}/{other}.pdf", place.names, place.names.dates[0], "uuid"
    )
    needs = [
        Need(("s3:PutObject",), fresh, at),
        Need(("dynamodb:Query", "dynamodb:Scan"), tables(place, 2), at, 30),
        Need(("sns:Publish",), topics(place, 1), at),
    ]
    if rng.random() < 0.5:
        needs.append(Need(("s3:GetObject",), keys(place, bucket, other), Cadence("daily")))
    if rng.random() < 0.3:
        needs.append(Need(("s3:DeleteObject",), keys(place, bucket, "old"), Cadence("quarterly", rng.randrange(84))))
    return needs


def _multi_tenant(place: Place) -> list[Need]:
    rng = place.rng
    bucket = place.names.bucket(place.app, place.things(1)[0])
    growing = rng.random() < 0.5
    return [
        Need(("s3:GetObject", "s3:PutObject"), tenants(place, bucket, growing), Cadence("hourly"), 5),
        Need(("s3:ListBucket",), one_bucket(bucket), Cadence("daily")),
        Need(
            ("ssm:GetParameter", "ssm:GetParametersByPath")[:1],
            parameters(place, rng.randrange(3, 12)),
            Cadence("daily"),
        ),
        Need(("kms:Decrypt",), key(place), Cadence("hourly"), 6),
    ]


def _deploy(place: Place) -> list[Need]:
    rng, burst = place.rng, Cadence("burst")
    functions = Fixed(
        "lambda:function",
        tuple(place.arn("lambda", f"function:{place.name(thing)}") for thing in place.things(rng.randrange(2, 7))),
        skew=0.7,
    )
    app = place.arn("cloudformation", f"stack/{place.names.name(place.app)}/{place.names.identifier(rng, 'uuid')}")
    artefacts = f"arn:aws:s3:::{place.names.company}-artefacts/{place.app}/{{hash}}.zip"
    passed = f"arn:aws:iam::{place.account}:role/{place.name('exec')}"
    needs = [
        Need(("lambda:UpdateFunctionCode", "lambda:GetFunction"), functions, burst),
        Need(("lambda:UpdateFunctionConfiguration",), functions, Cadence("weekly", rng.randrange(7))),
        Need(
            ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DescribeStacks"),
            Fixed("cloudformation:stack", (app,)),
            burst,
        ),
        Need(("s3:PutObject",), Fresh("s3:object", artefacts, place.names, "%Y", "uuid"), burst),
        Need(("iam:PassRole",), Fixed("iam:role", (passed,)), burst),
    ]
    if rng.random() < 0.6:
        stacks = review_stacks(place)
        needs.append(
            Need(
                ("cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:DescribeStacks"),
                stacks,
                burst,
            )
        )
    if rng.random() < 0.5:
        repository = place.arn("ecr", f"repository/{place.app}")
        needs.append(
            Need(("ecr:PutImage", "ecr:BatchCheckLayerAvailability"), Fixed("ecr:repository", (repository,)), burst)
        )
        needs.append(Need(("ecr:GetAuthorizationToken",), _ANY, burst))
    return needs


def _people(place: Place) -> list[Need]:
    rng, office = place.rng, Cadence("human", pauses=True)
    bucket = place.names.bucket(place.app, place.things(1)[0])
    looks = ("ec2:DescribeInstances", "cloudwatch:DescribeAlarms", "s3:ListAllMyBuckets", "lambda:ListFunctions",
             "logs:DescribeLogGroups", "dynamodb:ListTables", "rds:DescribeDBInstances", "ecs:ListClusters",
             "sqs:ListQueues", "sns:ListTopics", "cloudwatch:GetMetricData", "tag:GetResources")  # fmt: skip
    needs = [Need(tuple(rng.sample(looks, 6)), _ANY, office)]
    needs.append(Need(tuple(rng.sample(looks, 3)), _ANY, Cadence("weekly", rng.randrange(5))))
    needs.append(Need(("s3:GetObject",), keys(place, bucket, place.things(1)[0]), office, 2))
    needs.append(Need(("s3:ListBucket",), one_bucket(bucket), office))
    needs.append(Need(("dynamodb:Query", "dynamodb:DescribeTable"), tables(place, 4), office))
    needs.append(Need(("secretsmanager:GetSecretValue",), secrets(place, 2), Cadence("weekly", rng.randrange(5))))
    return needs


def _operator(place: Place) -> list[Need]:
    fleet = instances(place)
    needs = [
        Need(("ec2:StartInstances", "ec2:StopInstances"), fleet, Cadence("daily")),
        Need(("ec2:DescribeInstances", "ec2:DescribeTags"), _ANY, Cadence("daily")),
    ]
    if place.rng.random() < 0.5:
        cluster = place.name("")
        task = Fresh("ecs:task", place.arn("ecs", f"task/{cluster}/{{id}}"), place.names, "%Y", "hex32")
        needs.append(Need(("ecs:DescribeTasks", "ecs:StopTask"), task, Cadence("daily")))
    return needs


def _assets(place: Place) -> list[Need]:
    bucket = place.names.bucket(place.app, place.things(1)[0])
    hashed = Fresh("s3:object", f"arn:aws:s3:::{bucket}/assets/{{hash2}}/{{hash}}.js", place.names, "%Y", "uuid")
    pages = tuple(f"arn:aws:s3:::{bucket}/{page}.html" for page in ("index", "about", "404", "help"))
    return [
        Need(("s3:PutObject",), hashed, Cadence("burst"), 4),
        Need(("s3:PutObject", "s3:GetObject"), Fixed("s3:object", pages), Cadence("burst")),
        Need(("s3:ListBucket",), one_bucket(bucket), Cadence("burst")),
    ]


def _orchestrator(place: Place) -> list[Need]:
    rng = place.rng
    thing = place.things(1)[0]
    machine = place.arn("states", f"stateMachine:{place.name(thing)}")
    run = place.arn("states", f"execution:{place.name(thing)}:{{id}}")
    execution = Fresh("states:execution", run, place.names, "%Y", "uuid")
    lambdas = Fixed("lambda:function", tuple(place.arn("lambda", f"function:{place.name(t)}") for t in place.things(3)))
    pace: Rhythm = rng.choice(("hourly", "daily"))
    needs = [
        Need(("states:StartExecution",), Fixed("states:stateMachine", (machine,)), Cadence(pace)),
        Need(("states:DescribeExecution",), execution, Cadence(pace)),
        Need(("lambda:InvokeFunction",), lambdas, Cadence(pace), 8),
    ]
    if rng.random() < 0.5:
        stream = place.arn("kinesis", f"stream/{place.name(thing)}")
        needs.append(
            Need(("kinesis:PutRecord", "kinesis:PutRecords"), Fixed("kinesis:stream", (stream,)), Cadence(pace), 50)
        )
    return needs


def _backup(place: Place) -> list[Need]:
    rng = place.rng
    pace = Cadence(rng.choice(("daily", "weekly", "monthly")), rng.randrange(28))
    base = place.arn("rds", f"db:{place.name('main').lower()}")
    made = Fresh("rds:snapshot", place.arn("rds", f"snapshot:{place.name('main').lower()}-{{date}}"), place.names,
                 rng.choice(("%Y-%m-%d", "%Y%m%d")), "uuid")  # fmt: skip
    return [
        Need(("rds:CreateDBSnapshot",), Fixed("rds:db", (base,)), pace),
        Need(("rds:CreateDBSnapshot", "rds:AddTagsToResource"), made, pace),
        Need(("rds:DescribeDBSnapshots",), _ANY, pace),
        Need(("kms:DescribeKey", "kms:CreateGrant"), key(place), pace),
    ]


ARCHETYPES: dict[str, tuple[float, Callable[[Place], list[Need]]]] = {
    "service": (0.24, _service),
    "pipeline": (0.16, _pipeline),
    "report": (0.10, _report),
    "multi-tenant": (0.10, _multi_tenant),
    "deploy": (0.08, _deploy),
    "people": (0.08, _people),
    "operator": (0.07, _operator),
    "assets": (0.05, _assets),
    "orchestrator": (0.07, _orchestrator),
    "backup": (0.05, _backup),
}


def needs_of(archetype: str, place: Place) -> list[Need]:
    """Draw all that one role needs: its archetype's needs, some of them mortal, and what it needs but seldom."""
    rng = place.rng
    needs = ARCHETYPES[archetype][1](place)
    shape = rng.random()
    if shape < 0.10:
        needs += _feature(place, Cadence("daily", first=rng.randrange(30, DAYS)))
    elif shape < 0.20:
        needs += _feature(place, Cadence("daily", end=rng.randrange(60, DAYS)))
    elif shape < 0.25:
        needs += _feature(place, Cadence("once", first=rng.randrange(0, DAYS)))
    regular = list(needs)
    for _ in range(rng.choices((0, 2, 4, 6, 8), (0.12, 0.26, 0.30, 0.20, 0.12))[0]):
        needs += _seldom(place, rng.choice(regular))
    return needs


def _feature(place: Place, cadence: Cadence) -> list[Need]:
    """Draw a feature that is born, retired or run once."""
    bucket = place.names.bucket(place.app, place.things(1)[0])
    return [
        Need(("s3:GetObject", "s3:PutObject"), keys(place, bucket, place.things(1)[0]), cadence),
        Need(("dynamodb:PutItem", "dynamodb:GetItem"), tables(place, 1), cadence),
    ]


def _seldom(place: Place, need: Need) -> list[Need]:
    """Draw something that happens seldom to the resources of a regular need, or that a calendar brings."""
    rng = place.rng
    rhythm: Rhythm = rng.choices(
        ("incident", "rare", "monthly", "quarterly", "yearly"), (0.42, 0.30, 0.14, 0.10, 0.04)
    )[0]
    kind = need.resources.kind
    known = RARE.get(kind, ())
    actions = (rng.choice(known),) if known and rng.random() < 0.7 else _at_random(rng, kind, need.actions)
    if not actions:
        return []
    return [Need(actions, need.resources, Cadence(rhythm, phase=rng.randrange(84)), 2)]


def _at_random(rng: Random, kind: str, like: tuple[str, ...]) -> tuple[str, ...]:
    """Draw any action of the catalogue that the same kind of resource takes, of level List, Read or Write."""
    service, _, name = kind.partition(":")
    wanted = service if name else like[0].partition(":")[0]
    choices = [
        action
        for action in expand(f"{wanted}:*")
        if access_level(action) in ("List", "Read", "Write")
        and observability(action).kind in ("management", "data")
        and (any(each.name == name for each in resource_types(action)) if name else not resource_types(action))
    ]
    return (rng.choice(choices),) if choices else ()
