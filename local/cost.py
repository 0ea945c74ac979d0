"""Calculates what a stack costs a month, from template.yaml, samconfig.toml and docs/prices.json.

    python local/cost.py            writes the table into docs/deploy.md
    python local/cost.py --check    fails if that table differs, or if a stack at rest costs more than it may

It needs PyYAML, which the tools to deploy bring: target/tools/python/bin/python local/cost.py
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/deploy.md"
BEGIN, END = "<!-- Written by local/cost.py: begin -->", "<!-- end -->"
HOURS = 730
DAYS = HOURS / 24
# A stack with the settings of `default` and no requests may cost so many dollars a month.
CEILING = 45
# What a request and a run of a job take; both were measured or counted, see docs/speed.md.
REQUEST = {"seconds": 0.015, "log_kb": 2, "answer_kb": 4, "nat_kb": 5 / 20}
RUN = {"seconds": 0.05, "log_kb": 1, "nat_kb": 1}
ROUTES = {"quiet": 40, "busy": 100}
VCPUS = 2

COLUMNS = [
    ("`default`, at rest", "default", {}, 0),
    ("`default`, 1,000 a day", "default", {}, 1_000),
    ("`production`, 100,000 a day", "production", {}, 100_000),
    ("`production` enlarged, 10 million a day", "production",
     {"DatabaseClass": "db.m7g.large", "DatabaseStorage": "200", "RedisNodeType": "cache.m7g.large"}, 10_000_000),
]


class Loader(yaml.SafeLoader):
    """Reads the template's short tags as their long forms."""


def tagged(loader, suffix, node):
    kind = {yaml.ScalarNode: "scalar", yaml.SequenceNode: "sequence", yaml.MappingNode: "mapping"}[type(node)]
    value = getattr(loader, f"construct_{kind}")(node, *([] if kind == "scalar" else [True]))
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", tagged)


class Stack:
    """A template with values for its parameters, and how many requests it answers a day."""

    def __init__(self, template, given, requests_a_day):
        self.template = template
        self.values = {name: str(of.get("Default", "given")) for name, of in template["Parameters"].items()} | given
        self.requests = requests_a_day * DAYS
        self.resources = {name: of for name, of in template["Resources"].items()
                          if "Condition" not in of or self.holds({"Condition": of["Condition"]})}

    def holds(self, test):
        [(name, of)] = test.items()
        if name == "Condition":
            return self.holds(self.template["Conditions"][of])
        if name == "Fn::Equals":
            first, second = map(self.value, of)
            return str(first) == str(second)
        return {"Fn::And": all, "Fn::Or": any, "Fn::Not": lambda results: not any(results)}[name](map(self.holds, of))

    def value(self, of):
        if not isinstance(of, dict) or len(of) != 1:
            return of
        [(name, inner)] = of.items()
        if name == "Ref":
            return self.values.get(inner, inner)
        if name == "Fn::If":
            condition, yes, no = inner
            return self.value(yes if self.holds({"Condition": condition}) else no)
        return of

    def of_type(self, kind):
        return [of.get("Properties", {}) for of in self.resources.values() if of["Type"] == kind]

    def runs(self):
        """Returns how often schedules call a function in a month."""
        rates = [event["Properties"]["ScheduleExpression"] for function in self.of_type("AWS::Serverless::Function")
                 for event in function.get("Events", {}).values() if event["Type"] == "ScheduleV2"]
        found = [re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", rate).groups() for rate in rates]
        return sum(HOURS * (60 if unit == "minute" else 1) / int(count) for count, unit in found)


def names(kind):
    """Returns the names of our metrics of one kind, which the code lists."""
    block = re.search(rf"names! {{\n    {kind}: .*?\n}}", (ROOT / "shared/src/metrics.rs").read_text(), re.S)[0]
    return re.findall(r"^    (\w+);$", block, re.M)


def costs(stack, prices):
    """Returns the dollars a month of each kind."""
    price = {name: of["usd"] for name, of in prices.items()}
    hour = {name.removesuffix("_hour"): usd * HOURS for name, usd in price.items() if name.endswith("_hour")}
    requests, runs = stack.requests, stack.runs()
    gigabytes = {kind: (requests * REQUEST[kind] + runs * RUN.get(kind, 0)) / 1_000_000
                 for kind in ("log_kb", "answer_kb", "nat_kb")}
    memory = stack.template["Globals"]["Function"]["MemorySize"] / 1024

    gateways = stack.of_type("AWS::EC2::NatGateway")
    network = len(gateways) * hour["nat_gateway"] + len(stack.of_type("AWS::EC2::EIP")) * hour["ipv4"]
    network += gigabytes["nat_kb"] * price["nat_gateway_gb"] if gateways else 0
    for template in stack.of_type("AWS::EC2::LaunchTemplate"):
        data = template["LaunchTemplateData"]
        disk = sum(each["Ebs"]["VolumeSize"] for each in data["BlockDeviceMappings"])
        network += hour[data["InstanceType"]] + disk * price["ebs_gp3_gb_month"]

    postgres, managed_secrets = 0, 0
    for database in stack.of_type("AWS::RDS::DBInstance"):
        zones = 2 if stack.value(database["MultiAZ"]) is True else 1
        storage = int(stack.value(database["AllocatedStorage"])) * price["rds_gp3_gb_month"]
        postgres += zones * (hour[stack.value(database["DBInstanceClass"])] + storage)
        managed_secrets += 1
    redis = sum(stack.value(group["NumCacheClusters"]) * hour[stack.value(group["CacheNodeType"])]
                for group in stack.of_type("AWS::ElastiCache::ReplicationGroup"))

    watched = [alarm.get("Metrics", [{"MetricStat": {}}]) for alarm in stack.of_type("AWS::CloudWatch::Alarm")]
    alarms = sum("MetricStat" in metric for metrics in watched for metric in metrics)
    # Jobs write levels also while no one calls, and a schedule asks whether the service is ready.
    metrics = len(names("Level")) + 3 + (len(names("Count")) if requests else 1)
    if stack.values["RouteMetrics"] == "true":
        metrics += 3 * ROUTES["busy" if requests > 1_000_000 else "quiet"]

    environments = 10 if requests < 1_000_000 else 60 if requests < 100_000_000 else 300
    reads = environments * 2.5 * HOURS * 12 if requests > 1_000_000 else runs / 5
    seconds = requests * REQUEST["seconds"] + runs * RUN["seconds"]
    return {
        "NAT and addresses": network,
        "Postgres": postgres,
        "RDS Proxy": len(stack.of_type("AWS::RDS::DBProxy")) * VCPUS * hour["rds_proxy_vcpu"],
        "Redis": redis,
        "secrets": (len(stack.of_type("AWS::SecretsManager::Secret")) + managed_secrets) * price["secret_month"]
                   + reads / 10_000 * price["secret_reads_10000"],
        "alarms and dashboard": alarms * price["alarm_metric_month"]
                                + len(stack.of_type("AWS::CloudWatch::Dashboard")) * price["dashboard_month"],
        "metrics": metrics * price["custom_metric_month"],
        "Lambda and schedules": ((requests + runs) * price["lambda_million"] + runs * price["scheduler_million"]) / 1e6
                                + seconds * memory * price["lambda_gb_second"],
        "API Gateway": requests / 1e6 * price["http_api_million"],
        "logs": gigabytes["log_kb"] * price["log_gb"],
        "to the internet": gigabytes["answer_kb"] * price["internet_gb"],
    }


def given(environment):
    """Returns the parameters that an environment of samconfig.toml sets."""
    section = (ROOT / "samconfig.toml").read_text().split(f"[{environment}.deploy.parameters]")[1].split("\n[")[0]
    text = re.search(r'^parameter_overrides = """(.*?)"""', section, re.M | re.S)
    return dict(re.findall(r"(\w+)=(\S+)", text[1])) if text else {}


def table(template, file):
    columns = [costs(Stack(template, given(environment) | changes, requests), file["prices"])
               for _, environment, changes, requests in COLUMNS]
    rows = [["", *(name for name, *_ in COLUMNS)], ["---"] + ["---:"] * len(COLUMNS)]
    for kind in columns[0]:
        rows.append([kind, *(f"{column[kind]:.2f}" if column[kind] else "–" for column in columns)])
    rows.append(["**sum**", *(f"**{sum(column.values()):.2f}**" for column in columns)])
    lines = [f"US dollars a month; prices as of {file['as_of']} in {file['region']}.", ""]
    return "\n".join(lines + [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows]), sum(columns[0].values())


def main():
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    text, at_rest = table(template, json.loads((ROOT / "docs/prices.json").read_text()))
    if at_rest > CEILING:
        sys.exit(f"cost: a stack at rest costs {at_rest:.2f} dollars a month, and {CEILING} are the most it may cost")
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page = f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
    elif page != PAGE.read_text():
        sys.exit("cost: the table in docs/deploy.md is not what the template and the prices say; run local/cost.py")


if __name__ == "__main__":
    main()
