"""What a CloudFormation expression may stand for, and which expression stands for an ARN.

A template names its resources by reference (``!GetAtt Orders.Arn``); a proposal names them by ARN. Two ways lead
from one to the other. Where the file's policy is the one deployed, statement against statement shows which
expression came out as which ARN: that is certain. Else the template's own resources are compared by physical name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailfit.catalog import tables
from trailfit.deliver.tree import is_function

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailfit.deliver.tree import Node

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_PSEUDO = {
    "AWS::Partition": "aws(?:-[a-z]+)*",
    "AWS::Region": "[a-z]{2}(?:-[a-z]+)+-[0-9]",
    "AWS::StackName": "[A-Za-z0-9-]+",
    "AWS::URLSuffix": "[a-z0-9.]+",
    "AWS::StackId": "arn:[^ ]+",
}
#: What a parameter may come out as.
ANYTHING = "[^ ]+"
#: What may follow a resource's ARN in a policy, still in terms of its reference: `${T.Arn}/index/*`.
_AFTER_ARN = re.compile(r"[/:*].*")


@dataclass
class Template:
    """The names of one template, as deployed in one account.

    `named` are ARNs that a role may use: those of the template's own resources tell its region. `writes_partition`
    says that the role's policies write ``arn:aws:`` out, so that new ones do too.
    """

    resources: Node | None
    account: str
    bound: dict[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    writes_partition: bool = False

    # --- from an expression to what it may be ---------------------------------------------------------------

    def pattern(self, value: Any) -> str | None:
        """Return a regular expression of the texts that an expression may come out as; None where nobody can tell."""
        if isinstance(value, str):
            return re.escape(value)
        if not is_function(value):
            return None
        known = self.bound.get(key_of(value))
        if known is not None:
            return re.escape(known)
        [(name, argument)] = value.items()
        if name == "Ref" and isinstance(argument, str):
            return self._variable(argument)
        if name == "Fn::GetAtt" and isinstance(argument, list) and all(isinstance(part, str) for part in argument):
            return self._variable(".".join(argument))
        if name == "Fn::Sub":
            return self._sub(argument)
        if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
            parts = [self.pattern(part) for part in argument[1]]
            return None if None in parts else re.escape(str(argument[0])).join(str(part) for part in parts)
        return None

    def _sub(self, argument: Any) -> str | None:
        own: Mapping[str, Any] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            argument, own = argument
        if not isinstance(argument, str):
            return None
        parts, at = [], 0
        for variable in _VARIABLE.finditer(argument):
            name = variable.group(1)
            inner = self.pattern(own[name]) if name in own else self._variable(name)
            if inner is None:
                return None
            parts += [re.escape(argument[at : variable.start()].replace("${!", "${")), f"(?:{inner})"]
            at = variable.end()
        return "".join([*parts, re.escape(argument[at:].replace("${!", "${"))])

    def _variable(self, name: str) -> str | None:
        """Return the pattern of ``${name}``: a pseudo parameter, a resource, an attribute, or a parameter."""
        if name == "AWS::AccountId":
            return re.escape(self.account)
        if name in _PSEUDO:
            return _PSEUDO[name]
        known = self.bound.get(key_of({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}))
        if known is not None:
            return re.escape(known)
        logical, _, attribute = name.partition(".")
        facts = self._facts(logical)
        if facts is None:
            return None if attribute else ANYTHING  # a parameter, or a resource whose names the catalogue lacks
        physical = self._physical(logical, facts["name_property"])
        arn = self._arn(facts["arn"], physical)
        if attribute == facts["arn_attribute"] or (not attribute and facts["ref"] == "arn"):
            return arn
        if attribute == facts["name_attribute"] or (not attribute and facts["ref"] == "name"):
            return physical
        return None

    def _facts(self, logical: str) -> dict[str, str] | None:
        kind = self.resources.get(logical, "Type") if self.resources else None
        return next((row for row in tables.rows("cloudformation_names") if kind and row["type"] == kind.value), None)

    def _physical(self, logical: str, name_property: str) -> str:
        named = self.resources.get(logical, "Properties", name_property) if self.resources else None
        if named is None:
            return rf"[A-Za-z0-9-]+-(?i:{re.escape(logical)})[A-Za-z0-9]*-[A-Za-z0-9]{{8,14}}"
        return self.pattern(named.value) or "[^:/ ]+"

    def _arn(self, template: str, name: str) -> str:
        fields = {"partition": _PSEUDO["AWS::Partition"], "region": _PSEUDO["AWS::Region"], "account": self.account}
        escaped = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\?", "[A-Za-z0-9]")
        return escaped.format(**fields, name=f"(?:{name})")

    # --- comparing the file's policy with the one deployed --------------------------------------------------

    def agrees(self, raw: Any, deployed: Any) -> bool:
        """Tell whether a value of the file may have come out as a value deployed; remember what came out as what."""
        if isinstance(raw, str) or is_function(raw):
            pattern = self.pattern(raw)
            if not isinstance(deployed, str) or pattern is None or not re.fullmatch(pattern, deployed):
                return False
            if not isinstance(raw, str):
                self.bound[key_of(raw)] = deployed
            return True
        if isinstance(raw, dict):
            return (
                isinstance(deployed, dict)
                and raw.keys() == deployed.keys()
                and all(self._agrees_as_set(raw[key], deployed[key]) for key in raw)
            )
        return self._agrees_as_set(raw, deployed) if isinstance(raw, list) else bool(raw == deployed)

    def _agrees_as_set(self, raw: Any, deployed: Any) -> bool:
        raws, left = (value if isinstance(value, list) else [value] for value in (raw, deployed))
        left = list(left)
        for one in sorted(raws, key=is_function):  # what is written out in full is matched first
            match = next((other for other in left if self.agrees(one, other)), None)
            if match is None:
                return False
            left.remove(match)
        return not left

    # --- from an ARN to an expression -----------------------------------------------------------------------

    def express(self, text: str, *, literal_account: bool) -> Any:
        """Return the expression that stands for an ARN here, or the ARN itself where the file has none for it.

        `literal_account` says that the file writes its account's number out, so that another one adds nothing.
        """
        for key, known in self.bound.items():
            if known == text:
                return json.loads(key)
        for key, known in sorted(self.bound.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            written = _extended(json.loads(key), known, text)
            if written is not None:
                return written
        found = self._by_name(text)
        if found is not None:
            return found
        if literal_account or not self.account or f":{self.account}:" not in text:
            return text
        head, _, tail = text.partition(f":{self.account}:")
        if not self.writes_partition:
            head = re.sub(r"^arn:aws(-[a-z]+)*:", "arn:${AWS::Partition}:", head)
        if self.region and head.endswith(f":{self.region}"):
            head = head.removesuffix(self.region) + "${AWS::Region}"
        return {"Fn::Sub": f"{head}:${{AWS::AccountId}}:{_literal(tail)}"}

    @property
    def region(self) -> str | None:
        """Return the region that the template is deployed in, None where nothing tells or two things disagree.

        It is what ``${AWS::Region}`` came out as, or the region of what a role uses of the template's own resources.
        """
        for key, known in sorted(self.bound.items()):
            if "${AWS::Region}:" in key and known.startswith("arn:") and known.count(":") >= 5:
                return known.split(":")[3]
        for own in (self._own("log-group:/aws/lambda/{name}"), self._own("")):  # a function's log is where it runs
            if own:
                return own.pop() if len(own) == 1 else None
        return None

    def _own(self, logs: str) -> set[str]:
        """Return the regions of the ARNs that name a resource of the template, or a function's log (`logs`)."""
        found = set()
        for logical, facts in self._named():
            name = self._physical(logical, facts["name_property"])
            if "{region}" not in facts["arn"] or (logs and ":lambda:" not in facts["arn"]):
                continue
            template = f"arn:{{partition}}:logs:{{region}}:{{account}}:{logs}" if logs else facts["arn"]
            pattern = re.compile(self._arn(template, name) + "(?![A-Za-z0-9_.-])")
            found |= {arn.split(":")[3] for arn in self.named if pattern.match(arn)}
        return found

    # --- from an expression to its text ---------------------------------------------------------------------

    def resolve(self, value: Any) -> str | None:
        """Return the text that a value comes out as here; None where nobody can tell."""
        if isinstance(value, str):
            return value
        if not is_function(value):
            return None
        known = self.bound.get(key_of(value))
        if known is not None:
            return known
        variable = _as_variable(value)
        if variable is not None:
            return self._comes_out(variable)
        argument = value.get("Fn::Sub")
        if not isinstance(argument, str):
            return None
        for key, known in sorted(self.bound.items()):
            begun = _begins(json.loads(key), known)
            if begun is not None and argument.startswith(begun[0]) and not _VARIABLE.search(argument, len(begun[0])):
                return begun[1] + argument[len(begun[0]) :].replace("${!", "${")
        parts, at = [], 0
        for found in _VARIABLE.finditer(argument):
            inner = self._comes_out(found.group(1))
            if inner is None:
                return None
            parts += [argument[at : found.start()].replace("${!", "${"), inner]
            at = found.end()
        return "".join([*parts, argument[at:].replace("${!", "${")])

    def _comes_out(self, name: str) -> str | None:
        """Return what ``${name}`` comes out as: a pseudo parameter, or a reference that is known or written out."""
        arns = (*sorted(self.bound.values()), *self.named)
        partition = next((arn.split(":")[1] for arn in arns if arn.startswith("arn:aws")), None)
        pseudo = {"AWS::AccountId": self.account, "AWS::Region": self.region, "AWS::Partition": partition}
        if name in pseudo:
            return pseudo[name]
        logical, _, attribute = name.partition(".")
        known = self.bound.get(key_of({"Fn::GetAtt": [logical, attribute]} if attribute else {"Ref": logical}))
        own = next((facts for key, facts in self._named() if key == logical), None)
        if known is not None or own is None or self.resources is None:
            return known
        node = self.resources.get(logical, "Properties", own["name_property"])
        region = self.region or ("" if "{region}" not in own["arn"] else None)
        if node is None or region is None or partition is None or "?" in own["arn"]:
            return None
        if attribute == own["arn_attribute"] or (not attribute and own["ref"] == "arn"):
            return own["arn"].format(partition=partition, region=region, account=self.account, name=node.value)
        return str(node.value) if not attribute and own["ref"] == "name" else None

    def restore(self, value: Any) -> Any:
        """Give condition values back the very expressions that they came from, and no others."""
        if isinstance(value, dict):
            return {key: self.restore(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.restore(item) for item in value]
        key = next((key for key, known in self.bound.items() if known == value), None)
        return json.loads(key) if key else value

    def _by_name(self, text: str) -> Any:
        """Return the reference to the one resource of the template whose ARN this is, or begins with."""
        found = []
        for logical, facts in self._named():
            pattern = self._arn(facts["arn"], self._physical(logical, facts["name_property"]))
            match = re.match(pattern, text)
            rest = text[match.end() :] if match else ""
            if match and "{region}" in facts["arn"] and text.split(":")[3] != self.region:
                continue  # a table of this name in another region is another table
            if match and not rest:
                reference = {"Fn::GetAtt": [logical, facts["arn_attribute"]]}
                found.append({"Ref": logical} if facts["ref"] == "arn" else reference)
            elif match and _AFTER_ARN.fullmatch(rest):
                variable = logical if facts["ref"] == "arn" else f"{logical}.{facts['arn_attribute']}"
                found.append({"Fn::Sub": f"${{{variable}}}{_literal(rest)}"})
        return found[0] if len(found) == 1 else None

    def _named(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the resources whose physical name the template writes out: only these are sure."""
        for key, resource in self.resources.entries if self.resources else ():
            facts = self._facts(key.value)
            name = resource.get("Properties", facts["name_property"]) if facts else None
            if facts and name is not None and isinstance(name.value, str):
                yield key.value, facts


def key_of(expression: Any) -> str:
    """Return an expression as text, the same for the same expression: what `bound` is keyed by."""
    return json.dumps(expression, sort_keys=True, ensure_ascii=False)


def _as_variable(expression: Any) -> str | None:
    """Return what stands between ``${`` and ``}`` for a reference, None where it is none."""
    [(name, argument)] = expression.items()
    if name == "Ref" and isinstance(argument, str):
        return argument
    if name == "Fn::GetAtt" and isinstance(argument, list):
        return ".".join(argument)
    return None


def _extended(expression: Any, known: str, text: str) -> Any:
    """Return an ARN in terms of an expression that came out as `known`, with which it begins.

    ``!GetAtt T.Arn`` gives ``${T.Arn}/index/*``; ``!Sub arn:aws:s3:::${B}/*`` gives ``arn:aws:s3:::${B}/daily/*``:
    up to its last variable an expression stands for one text, and what follows there is free.
    """
    attribute = _as_variable(expression)
    if attribute and known.startswith("arn:") and text.startswith(known) and _AFTER_ARN.fullmatch(text[len(known) :]):
        return {"Fn::Sub": f"${{{attribute}}}{_literal(text[len(known) :])}"}
    begun = _begins(expression, known)
    if begun is None:
        return None
    head, begins = begun
    rest = text.removeprefix(begins)
    return {"Fn::Sub": head + _literal(rest)} if rest != text and rest[:1] == known[len(begins)] else None


def _begins(expression: Any, known: str) -> tuple[str, str] | None:
    """Return a ``Fn::Sub`` up to its last variable and the text which that came out as."""
    argument = expression.get("Fn::Sub")
    if not isinstance(argument, str) or "${!" in argument or "}" not in argument:
        return None
    head, _, tail = argument.rpartition("}")
    if not tail or not known.endswith(tail) or tail[0].isalnum():
        return None
    return head + "}", known[: len(known) - len(tail)]


def _literal(text: str) -> str:
    """Escape a policy variable (``${aws:username}``), which ``Fn::Sub`` would take for its own."""
    return text.replace("${", "${!")
