"""An alert as a mail and as messages for chats. Pure; nobody here sends anything.

Teams: an adaptive card as its incoming webhooks (workflows) take it. Slack: the `text` of an incoming webhook, where
`&`, `<` and `>` are written as entities.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from crossfade.model.alerts import Alert
from crossfade.report.notices import split

TEAMS_CARD = "application/vnd.microsoft.card.adaptive"
TEAMS_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def alert_files(alert: Alert, texts: Mapping[str, str]) -> dict[str, bytes]:
    """Name of a file -> what it holds: `mail.txt`, `teams.json`, `slack.json`. `texts`: see `report.notices`."""
    subject, body = split(texts[alert.kind].format(**_values(alert)))
    return {
        "mail.txt": f"Subject: {subject}\n\n{body}\n".encode(),
        "teams.json": _json(_teams(subject, body)),
        "slack.json": _json({"text": _escaped(f"*{subject}*\n{body}")}),
    }


def _values(alert: Alert) -> dict[str, str]:
    return {
        "of": alert.of,
        "run": alert.run_id,
        "why": alert.why,
        "command": alert.command,
        "until": f"{alert.until[:16].replace('T', ' ')} UTC" if alert.until else "somebody acts",
    }


def _teams(subject: str, body: str) -> dict[str, Any]:
    blocks = [
        {"type": "TextBlock", "text": subject, "weight": "Bolder", "size": "Medium", "wrap": True},
        {"type": "TextBlock", "text": body.replace("\n", "\n\n"), "wrap": True},
    ]
    card = {"$schema": TEAMS_SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": blocks}
    return {"type": "message", "attachments": [{"contentType": TEAMS_CARD, "content": card}]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _json(data: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n"
