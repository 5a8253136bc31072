"""The alerts and the dashboard beside what the programs export: python watched.py PROMETHEUS EXAMPLES METRICS...

Each name that they use is exported, every alert was evaluated without an error, and Prometheus takes every query of the dashboard.
"""

import json
import pathlib
import re
import sys
import time
import urllib.parse
import urllib.request


def ask(path):
    with urllib.request.urlopen(path, timeout=10) as answer:
        return json.load(answer)


def check(what, holds, found=""):
    print(f"ok   {what}" if holds else f"FAIL {what}: {found}")
    return holds


def main(prometheus, examples, *metrics):
    examples = pathlib.Path(examples)
    dashboard = json.loads((examples / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = (examples / "alerts.yml").read_text()
    exported = set()
    for file in metrics:
        exported |= set(re.findall(r"^# TYPE (\S+) ", pathlib.Path(file).read_text(), re.M))
    used = set(re.findall(r"\bstele_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", rules) + queries)))
    good = check("the programs export metrics", len(exported) > 15, sorted(exported))
    good &= check("every name in alerts and dashboard is exported", bool(used) and used <= exported, sorted(used - exported))
    # Prometheus takes up new targets every five seconds, and a rate needs two samples.
    for _ in range(60):
        scraped = ask(f"{prometheus}/api/v1/query?query={urllib.parse.quote('count_over_time(up[1m]) > 2')}")["data"]["result"]
        if len(scraped) == 2:
            break
        time.sleep(1)
    for query in queries:
        url = f"{prometheus}/api/v1/query?query={urllib.parse.quote(query)}"
        try:
            answer = ask(url)
            good &= check(f"{query}", answer["status"] == "success" and bool(answer["data"]["result"] or "alarms" in query), answer)
        except OSError as error:
            good &= check(query, False, error)
    for _ in range(60):
        groups = ask(f"{prometheus}/api/v1/rules")["data"]["groups"]
        each = [rule for group in groups for rule in group["rules"]]
        if each and all(rule["health"] != "unknown" for rule in each):
            break
        time.sleep(1)
    good &= check("there are alerts for log and witness", len(each) >= 12 and len(groups) == 2, len(each))
    for rule in each:
        good &= check(f"{rule['name']} is evaluated", rule["health"] == "ok", rule.get("lastError"))
    firing = sorted(rule["name"] for rule in each if rule["state"] == "firing")
    good &= check("nothing fires for a log that is well", firing == [], firing)
    ups = ask(f"{prometheus}/api/v1/query?query=up")["data"]["result"]
    good &= check("both are scraped", sorted(up["value"][1] for up in ups) == ["1", "1"], ups)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
