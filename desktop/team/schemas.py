"""To which kinds of addresses messages are sent, as Apprise calls them: the choice is docs/decisions/0011. Pure."""

MAIL = frozenset({"mailto", "mailtos"})
CHAT = frozenset(
    {
        *("slack", "workflow", "workflows", "tgram", "discord", "gchat", "wxteams", "zulip"),
        *("mmost", "mmosts", "rocket", "rockets"),
    }
)
PUSH = frozenset({"ntfy", "ntfys", "pover", "gotify", "gotifys", "prowl", "pbul"})
TELEPHONE = frozenset(
    {"twilio", "vonage", "nexmo", "msgbird", "clicksend", "plivo", "sinch", "d7sms", "bulksms", "telnyx"}
)
WEBHOOK = frozenset({"json", "jsons", "form", "forms", "xml", "xmls"})
SCHEMAS = MAIL | CHAT | PUSH | TELEPHONE | WEBHOOK
