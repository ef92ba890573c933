"""A request that is not answered: the HTTP status, and the sentence that the client gets."""


class RefusedRequest(Exception):
    """What the client sent is wrong; nothing is wrong here."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        """Take the sentence, and the HTTP status that says its kind."""
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
