"""What is wrong with a query."""


class BadQuery(Exception):
    """A query that cannot be run; the text says where. `kind` is `SyntaxError` or `SemanticError`, `code` Kusto's."""

    def __init__(self, text: str, *, kind: str = "SemanticError", code: str = "SEM0100", token: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.code = code
        self.token = token
