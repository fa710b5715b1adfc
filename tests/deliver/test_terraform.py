from __future__ import annotations

import difflib
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from trailfit.deliver import hcl
from trailfit.deliver.cloudformation import Proposal
from trailfit.deliver.hcl import SOURCE
from trailfit.deliver.terraform import Module
from trailfit.deliver.terraform_names import Names
from trailfit.errors import EditError

from .corpus import ROOT, lines_outside
from .sample import ACCOUNT, allow, document

if TYPE_CHECKING:
    from pathlib import Path

MANAGED = {"kind": "aws_managed", "name": "AmazonS3FullAccess", "arn": "arn:aws:iam::aws:policy/AmazonS3FullAccess", "document": document()}  # fmt: skip
ROLE = 'resource "aws_iam_role" "app" {\n  name = "app" # ops know it\n}\n'
JSONENCODE = (
    ROLE
    + """
resource "aws_iam_role_policy" "app" {
  name = "access"
  role = aws_iam_role.app.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Action   = ["s3:GetObject", "s3:PutObject"] # both
        Effect   = "Allow"
        Resource = "${aws_s3_bucket.b.arn}/*"
      },
      {
        Action   = "sqs:*"
        Effect   = "Allow"
        Resource = aws_sqs_queue.q.arn
      },
    ]
  })
}
"""
)
HEREDOC = (
    ROLE
    + """
resource "aws_iam_role_policy" "app" {
  name   = "access"
  role   = aws_iam_role.app.name
  policy = <<-EOF
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "${aws_s3_bucket.b.arn}/*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "${aws_sqs_queue.q.arn}"}
      ]
    }
  EOF
}
"""
)
DOCUMENT = (
    ROLE
    + """
data "aws_iam_policy_document" "app" {
  # objects
  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.b.arn}/*"]
  }

  statement {
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.q.arn]
  }
}

resource "aws_iam_role_policy" "app" {
  name   = "access"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.app.json
}
"""
)
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
OLD = document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::b-1/*"), allow("sqs:*", QUEUE))


def inline(content: dict[str, Any], name: str = "access") -> dict[str, Any]:
    return {"kind": "inline", "name": name, "document": content}


def edited(text: str, before: list[Any], after: list[Any]) -> str:
    module = Module("", {"main.tf": text})
    [role] = module.roles()
    changed = module.edit(role, Proposal(ACCOUNT, before, after))
    return changed.get("main.tf", text)


def diff(text: str, new: str) -> list[str]:
    return [line for line in difflib.ndiff(text.splitlines(), new.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize("text", [JSONENCODE, HEREDOC, DOCUMENT], ids=["jsonencode", "heredoc", "document"])
def test_a_narrower_policy_changes_its_own_lines_and_keeps_references(text: str) -> None:
    new = document(allow("s3:GetObject", "arn:aws:s3:::b-1/*"), allow(["sqs:SendMessage"], QUEUE))
    changed = edited(text, [inline(OLD)], [inline(new)])

    assert "${aws_s3_bucket.b.arn}/*" in changed
    assert "aws_sqs_queue.q.arn" in changed
    assert "s3:PutObject" not in changed
    assert "sqs:SendMessage" in changed
    assert len(diff(text, changed)) == 4
    assert edited(changed, [inline(new)], [inline(new)]) == changed


@pytest.mark.parametrize("text", [JSONENCODE, HEREDOC, DOCUMENT], ids=["jsonencode", "heredoc", "document"])
def test_a_statement_goes_alone(text: str) -> None:
    changed = edited(text, [inline(OLD)], [inline(document(OLD["Statement"][0]))])

    assert "sqs" not in changed
    assert not [line for line in diff(text, changed) if line[0] == "+" and "s3" not in line]


@pytest.mark.parametrize("text", [JSONENCODE, HEREDOC, DOCUMENT], ids=["jsonencode", "heredoc", "document"])
def test_a_policy_that_goes_takes_its_resource_along(text: str) -> None:
    assert edited(text, [inline(OLD)], []).rstrip() == ROLE.rstrip()


def test_a_part_of_a_referenced_resource_keeps_the_reference() -> None:
    new = document(
        allow("sqs:*", QUEUE), allow("s3:GetObject", "arn:aws:s3:::b-1/*"), allow("sqs:SendMessage", QUEUE + "/x")
    )

    assert '"${aws_sqs_queue.q.arn}/x"' in edited(JSONENCODE, [inline(OLD)], [inline(new)])


def test_an_attachment_gives_way_to_an_inline_policy() -> None:
    text = (
        ROLE
        + """
resource "aws_iam_role_policy_attachment" "full" {
  role       = aws_iam_role.app.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
}

# the end
"""
    )
    new = inline(document(allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*")), "fitted")
    changed = edited(text, [MANAGED], [new])

    assert "AmazonS3FullAccess" not in changed
    assert 'resource "aws_iam_role_policy" "app_fitted"' in changed
    assert '"arn:aws:s3:::b/$${aws:username}/*"' in changed
    assert changed.endswith("# the end\n")


def test_an_arn_goes_from_the_role_s_own_list() -> None:
    arns = '["arn:aws:iam::aws:policy/AmazonS3FullAccess", aws_iam_policy.own.arn]'
    text = ROLE.replace("}", f"  managed_policy_arns = {arns}\n}}")
    changed = edited(text, [MANAGED], [inline(document(allow("s3:GetObject", "arn:aws:s3:::b/*")), "fitted")])

    assert "  managed_policy_arns = [aws_iam_policy.own.arn]\n" in changed
    assert 'resource "aws_iam_role_policy" "app_fitted"' in changed


OWN = (
    ROLE
    + """
resource "aws_iam_policy" "own" {
  name   = "own"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "own" {
  role       = aws_iam_role.app.name
  policy_arn = aws_iam_policy.own.arn
}
"""
)


def test_a_managed_policy_of_the_team_s_own_is_edited_where_only_one_role_uses_it() -> None:
    def own(action: str) -> dict[str, Any]:
        return {"kind": "customer_managed", "name": "own", "arn": f"arn:aws:iam::{ACCOUNT}:policy/own", "document": document(allow(action, "*"))}  # fmt: skip

    changed = edited(OWN, [own("sqs:*")], [own("sqs:SendMessage")])
    assert diff(OWN, changed)[1].count('Action = "sqs:SendMessage"') == 1
    assert len(diff(OWN, changed)) == 2
    twice = OWN + '\noutput "arn" {\n  value = aws_iam_policy.own.arn\n}\n'
    with pytest.raises(EditError, match="used more than once"):
        edited(twice, [own("sqs:*")], [own("sqs:SendMessage")])


def test_no_account_is_written_out_where_the_files_have_none() -> None:
    new = inline(document(allow("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:other")))
    with pytest.raises(EditError, match="the account's number would be written out"):
        edited(JSONENCODE, [inline(OLD)], [new])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (JSONENCODE.replace("  role = aws_iam_role.app.id", "  count = 2\n  role = aws_iam_role.app.id"), "count or for_each"),
        (JSONENCODE.replace('"sqs:*"', "var.actions"), "form that is edited"),
        (JSONENCODE.replace('"sqs:*"', '"sns:*"'), "as it is deployed"),
        (JSONENCODE.replace('"sqs:*"', 'concat(["a"], ["b"])'), "form that is edited"),
        (DOCUMENT.replace("  # objects", "  source_policy_documents = [var.x]"), "form that is edited"),
        (DOCUMENT + '\noutput "o" {\n  value = data.aws_iam_policy_document.app.json\n}\n', "form that is edited"),
        (DOCUMENT.replace("  statement {\n    actions   = [\"sqs", "  dynamic \"statement\" {\n    actions   = [\"sqs"), "form that is edited"),
        (ROLE.replace("}", "  managed_policy_arns = var.x\n}"), "are an expression"),
        (ROLE.replace("}", "  dynamic \"inline_policy\" {\n    for_each = var.x\n  }\n}"), "inline_policy blocks by dynamic"),
        (JSONENCODE.replace("  role = aws_iam_role.app.id", "  for_each = var.x\n  role = aws_iam_role.app.id"), "count or for_each"),
        (DOCUMENT.replace("  statement {\n    actions   = [\"sqs", "  dynamic \"statement\" {\n    actions   = [\"sqs"), "dynamic blocks make its statements"),
        (DOCUMENT.replace("  # objects", "  source_policy_documents = [var.x]"), "its document takes in others"),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_safely_is_refused_with_the_reason(text: str, reason: str) -> None:
    new = inline(document(allow("s3:GetObject", "arn:aws:s3:::b-1/*")))
    with pytest.raises(EditError, match=reason):
        edited(text, [inline(OLD)], [new])


def test_a_syntax_error_is_no_terraform() -> None:
    with pytest.raises(EditError, match="syntax error"):
        hcl.parse('resource "aws_iam_role" {')


def test_places_count_characters_not_bytes() -> None:
    text = '# größer\nlocals {\n  a = "ü"\n  b = ["x", "y"]\n}\n'
    node = hcl.parse(text)[0].attributes["b"]

    assert text[node.start : node.end] == '["x", "y"]'


@pytest.mark.parametrize("value", ["a", "${aws:username}", "%{x}", 'q"\\', "ä\n\t", "$${x}", "\u202e"])
def test_a_text_reads_back_as_it_was_written(value: str) -> None:
    assert hcl.parse(f"locals {{\n  a = {hcl.text_of(value)}\n}}\n")[0].attributes["a"].value == value or "$${" in value


def test_expressions_are_kept_as_their_source() -> None:
    node = hcl.parse('locals {\n  a = "x-${var.b}"\n  c = var.d\n}\n')[0]

    assert node.attributes["a"].value == {SOURCE: '"x-${var.b}"'}
    assert node.attributes["c"].value == {SOURCE: "var.d"}


def deployed(value: Any, names: Names) -> Any:
    """What an expression may come out as: its source, made a word."""
    if isinstance(value, dict) and SOURCE in value:
        if names.pattern(value) is None:
            raise LookupError(value)
        source = value[SOURCE]
        text = source[1:-1] if source.startswith('"') else "${" + source + "}"
        return "".join(char if char not in '${}"[] ' else "-" for char in text)
    if isinstance(value, dict):
        return {key: deployed(inner, names) for key, inner in value.items()}
    return [deployed(item, names) for item in value] if isinstance(value, list) else value


SPLIT = document(
    {"Sid": "Objects1", **allow("s3:GetObject", "arn:aws:s3:::b-1/in/*")},
    {"Sid": "Objects2", **allow("s3:PutObject", "arn:aws:s3:::b-1/out/*")},
)
SIDS = """
data "aws_iam_policy_document" "app" {
  # objects
  statement {
    sid       = "Objects"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:aws:s3:::b-1/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = ["*"]
  }

  statement {
    sid       = "Identity"
    actions   = ["iam:*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "app" {
  name   = "access"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.app.json
}
"""
SIDS_OLD = document(
    {"Sid": "Objects", **allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::b-1/*")},
    {"Sid": "List", **allow("s3:ListBucket", "*")},
    {"Sid": "Identity", **allow("iam:*", "*")},
)


def test_the_statements_that_one_was_split_into_stand_in_its_place() -> None:
    lines = diff(ROLE + SIDS, edited(ROLE + SIDS, [inline(SIDS_OLD)], [inline(SPLIT)]))

    assert '+     sid       = "Objects1"' in lines
    assert '+     sid       = "Objects2"' in lines
    assert not any("# objects" in line or line.strip() in ("+   statement {", "-   statement {") for line in lines[:4])


def test_statements_that_all_get_new_names_stand_where_the_first_stood() -> None:
    renamed = document(*({**one, "Sid": f"New{n}"} for n, one in enumerate(SPLIT["Statement"])))
    changed = edited(ROLE + SIDS, [inline(SIDS_OLD)], [inline(renamed)])

    assert "  # objects\n  statement {\n" in changed
    assert changed.count("statement {") == 2
    assert "Identity" not in changed


def test_a_list_that_grows_too_long_for_its_line_is_broken_as_terraform_formats_it() -> None:
    long = [f"arn:aws:s3:::b-1/{name * 9}/*" for name in ("alder", "birch", "cedar")]
    text = ROLE + SIDS.replace("SIDS", "")
    narrow = document({**SPLIT["Statement"][0], "Sid": "Objects", "Resource": long}, *SIDS_OLD["Statement"][1:])
    changed = edited(text, [inline(SIDS_OLD)], [inline(narrow)])

    assert '    sid     = "Objects"\n    actions = ["s3:GetObject"]\n    resources = [\n      "arn:' in changed
    assert hcl.aligned(changed) == changed


def test_a_file_that_is_not_aligned_is_not_aligned_by_an_edit() -> None:
    text = JSONENCODE.replace('Effect   = "Allow"', 'Effect = "Allow"')
    new = document(allow("s3:GetObject", "arn:aws:s3:::b-1/*"), OLD["Statement"][1])

    assert len(diff(text, edited(text, [inline(OLD)], [inline(new)]))) == 2


def test_the_comma_behind_the_last_item_stays() -> None:
    new = document(
        allow("s3:ListBucket", "arn:aws:s3:::b-1"),
        {**allow("sqs:SendMessage", "*"), "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    )
    old = document(allow("s3:*", "*"))
    text = JSONENCODE.split('      {\n        Action   = "sqs')[0] + "    ]\n  })\n}\n"
    text = text.replace('["s3:GetObject", "s3:PutObject"] # both', '"s3:*"').replace(
        '"${aws_s3_bucket.b.arn}/*"', '"*"'
    )

    assert edited(text, [inline(old)], [inline(new)]).count("      },\n    ]\n") == 1


def policy(content: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "document": content}


def halved(content: dict[str, Any]) -> list[Any]:
    """Half of each statement's actions, at least one."""
    statements = content["Statement"] if isinstance(content["Statement"], list) else [content["Statement"]]
    return [
        {**s, "Action": s["Action"][: (len(s["Action"]) + 1) // 2]} if isinstance(s.get("Action"), list) else s
        for s in statements
    ]


INLINE_BLOCK = """resource "aws_iam_role" "app" {
  name = "app"

  inline_policy {
    name = "access"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "*" }] # both
    })
  }
}
"""
S3_BOTH = document(allow(["s3:GetObject", "s3:PutObject"], "*"))
S3_ONE = document(allow(["s3:GetObject"], "*"))


def test_an_inline_policy_block_is_edited_where_it_stands() -> None:
    new = edited(INLINE_BLOCK, [inline(S3_BOTH)], [inline(S3_ONE)])

    assert new == INLINE_BLOCK.replace(', "s3:PutObject"', "")


def test_a_new_policy_of_a_role_with_inline_policy_blocks_is_one_more_block() -> None:
    new = edited(INLINE_BLOCK, [], [inline(S3_ONE, "more")])

    assert new.count("  inline_policy {") == 2
    assert "aws_iam_role_policy" not in new
    assert new.startswith(INLINE_BLOCK[: INLINE_BLOCK.rindex("}\n}")])


def test_an_inline_policy_block_goes_whole() -> None:
    both = edited(INLINE_BLOCK, [], [inline(S3_ONE, "more")])

    assert edited(both, [inline(S3_BOTH)], []).count("inline_policy {") == 1


TEMPLATED = """resource "aws_iam_role" "app" {
  name = "app"
}

resource "aws_iam_role_policy" "access" {
  name   = "access"
  role   = aws_iam_role.app.id
  policy = templatefile("${path.module}/access.tftpl", { bucket = aws_s3_bucket.b.arn })
}
"""
TEMPLATE_FILE = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "${bucket}/*"}
  ]
}
"""


@pytest.mark.parametrize("form", ["templatefile", "file"])
def test_a_policy_in_a_file_beside_is_edited_there(form: str) -> None:
    text = (
        TEMPLATED
        if form == "templatefile"
        else TEMPLATED.replace("templatefile(", "file(").replace(", { bucket = aws_s3_bucket.b.arn })", ")")
    )
    beside = TEMPLATE_FILE if form == "templatefile" else TEMPLATE_FILE.replace("${bucket}", "arn:aws:s3:::b")
    module = Module("iam", {"iam/main.tf": text}, {"iam/access.tftpl": beside, "README.md": "x"})
    [role] = module.roles()
    old, new = (
        document(allow(actions, "arn:aws:s3:::b/*")) for actions in (["s3:GetObject", "s3:PutObject"], ["s3:GetObject"])
    )
    changed = module.edit(role, Proposal(ACCOUNT, [inline(old)], [inline(new)]))

    assert changed == {"iam/access.tftpl": beside.replace(', "s3:PutObject"', "")}


def test_a_file_that_is_read_twice_is_not_edited_for_one() -> None:
    text = TEMPLATED + '\noutput "o" {\n  value = file("access.tftpl")\n}\n'
    module = Module("iam", {"iam/main.tf": text}, {"iam/access.tftpl": TEMPLATE_FILE})
    old = document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::b/*"))
    with pytest.raises(EditError, match="is used elsewhere too"):
        module.edit(module.roles()[0], Proposal(ACCOUNT, [inline(old)], [inline(S3_ONE)]))


def test_what_is_made_once_or_not_at_all_is_edited_like_any_other() -> None:
    text = INLINE_BLOCK.replace('  name = "app"', '  count = var.create ? 1 : 0\n  name  = "app"')
    text = text[: text.index("\n  inline_policy")] + "}\n"
    new = edited(text, [], [inline(S3_ONE, "more")])

    assert '  count = var.create ? 1 : 0\n  name  = "more"\n  role  = aws_iam_role.app[0].id\n' in new
    assert "s3:GetObject" not in edited(new, [inline(S3_ONE, "more")], [])


@pytest.mark.parametrize(
    "source", ['join("", aws_iam_role.app.*.id)', "one(aws_iam_role.app[*].name)", "aws_iam_role.app[0].id"]
)
def test_a_reference_to_the_one_that_count_makes_is_followed(source: str) -> None:
    text = TEMPLATED.replace("aws_iam_role.app.id", source).replace('  name = "app"', '  count = 1\n  name = "app"')

    [held] = (module := Module("", {"main.tf": text})).held(module.roles()[0])
    assert held.name == "access"


MODULE_CALL = """module "orders" {
  source    = "registry.example/lambda/aws"
  role_name = "orders"
  policy_json = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "*" }]
  })
}
"""


def test_a_policy_that_a_module_is_given_is_edited_in_the_call() -> None:
    module = Module("", {"main.tf": MODULE_CALL})
    [role] = module.roles()
    changed = module.edit(role, Proposal(ACCOUNT, [inline(S3_BOTH, "anything")], [inline(S3_ONE, "anything")]))

    assert (role.address, role.name) == ("module.orders", "orders")
    assert changed == {"main.tf": MODULE_CALL.replace(', "s3:PutObject"', "")}
    with pytest.raises(EditError, match="a new policy cannot be added"):
        module.edit(role, Proposal(ACCOUNT, [], [inline(S3_ONE, "new")]))


@pytest.mark.parametrize(
    ("name", "deployed_as", "fits"),
    [
        ('name = "${local.prefix}-reader"', "shop-reader", True),
        ('name = "${local.prefix}-reader"', "other-reader", False),
        ('name = "${var.env}-orders-reader"', "prod-orders-reader", True),
        ('name = "${var.env}-x"', "prod-x", None),
        ('name_prefix = "reader-"', "reader-20260101000000000000000001", True),
        ('name_prefix = "reader-"', "reader-prod", False),
        ("name = var.name", "anything", None),
    ],
)
def test_a_name_that_is_an_expression_fits_what_it_may_come_out_as(
    name: str, deployed_as: str, fits: bool | None
) -> None:
    import re

    text = 'locals {\n  prefix = "shop"\n}\n\nresource "aws_iam_role" "app" {\n  ' + name + "\n}\n"
    [role] = Module("", {"main.tf": text}).roles()

    assert (None if role.pattern is None else re.fullmatch(role.pattern, deployed_as) is not None) is fits


@pytest.mark.slow
@pytest.mark.skipif(not ROOT.is_dir(), reason="the corpus is not here (TRAILFIT_CORPUS)")
def test_every_terraform_folder_is_read_and_every_safe_edit_is_made(tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for folder in sorted({path.parent for path in ROOT.rglob("*.tf")}):
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.tf"))}
        told["files"] += len(texts)
        try:
            beside = {path.name: path.read_text("utf-8", "replace") for path in folder.iterdir() if path.is_file()}
            module = Module("", texts, beside)
        except EditError as problem:
            reasons[problem.message] += 1
            continue
        for role in module.roles():
            told["roles"] += 1
            try:
                held = module.held(role)
                before, after = [], []
                for one in held:
                    if one.kind == "inline" and one.content is not None:
                        content = deployed(one.content, Names(ACCOUNT))
                        name = one.name or "policy"
                        before.append(inline(content, name))
                        after.append(inline({**content, "Statement": halved(content)}, name))
                    elif one.kind == "managed" and isinstance(one.content, str):
                        before.append({**MANAGED, "name": one.content, "arn": one.content})
                    elif one.kind == "managed" and one.name:
                        try:
                            content = module.customer_managed(one).content
                        except EditError:  # others use it too: it is detached, and stays for them
                            before.append({**MANAGED, "kind": "customer_managed", "name": one.name, "arn": one.name})
                            told["detached, for others use the policy too"] += 1
                            continue
                        if content is None:
                            reasons[f"not judged: {module.customer_managed(one).why}"] += 1
                            continue
                        content = deployed(content, Names(ACCOUNT))
                        before.append(policy(content, one.name, "customer_managed"))
                        after.append(policy({**content, "Statement": halved(content)}, one.name, "customer_managed"))
                        told["managed policies edited where they are defined"] += 1
                    else:
                        reasons[f"not judged: {one.why or 'a managed policy that is defined elsewhere'}"] += 1
                if not before:
                    told["without a policy that is edited"] += 1
                    reasons["not judged: no policy at all"] += not held
                    continue
                changed = module.edit(role, Proposal("", before, after))
            except (EditError, LookupError) as problem:
                told["refused"] += 1
                reasons[str(problem)[:90]] += 1
                continue
            told["edited"] += 1
            again = Module(
                "", texts | {name: text for name, text in changed.items() if name in texts}, beside | changed
            )
            assert again.edit(role, Proposal("", after, after)) == {}
            for name, text in changed.items():
                if name not in texts:
                    told["edited in a file beside"] += 1
                    continue
                told["lines outside a policy"] += lines_outside(texts[name], text, iam_blocks(texts[name]))
                for kind, content in (("before", texts[name]), ("after", text)):
                    place = tmp_path / kind / f"{told['edited']}-{name}"
                    place.parent.mkdir(exist_ok=True)
                    place.write_text(content)
                assert hcl.aligned(text) == text or hcl.aligned(texts[name]) != texts[name]
    print(*(f"{count:5}  {what}" for what, count in [*told.items(), *reasons.items()]), sep="\n")
    assert told["edited"] >= 90
    assert told["refused"] <= 6
    assert told["lines outside a policy"] == 0
    if shutil.which("terraform"):  # Terraform itself reads every result, and finds its format as good as it was
        ugly = {kind: not_formatted(tmp_path / kind) for kind in ("before", "after")}
        print(f"{len(ugly['before']):5}  files that terraform fmt would change before, {len(ugly['after'])} after")
        assert ugly["after"] <= ugly["before"]


def not_formatted(folder: Path) -> set[str]:
    """The files of a folder that `terraform fmt` would change; it must be able to read them all."""
    command = ["terraform", "fmt", "-check", "-list=true", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return {line.rpartition("/")[2] for line in done.stdout.splitlines() if line.endswith(".tf")}


def iam_blocks(text: str) -> list[tuple[int, int]]:
    """The places of the blocks that hold policies or attach them."""
    return [
        (block.start, block.end)
        for block in hcl.parse(text)
        if block.type in ("resource", "data") and block.labels[0].startswith("aws_iam_")
    ]
