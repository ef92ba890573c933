"""What is known about the candidates, in the run's storage: who has claimed which, and what became of those done.

    candidates/claims/<candidate>                    the worker that does it, put if absent (only with several workers)
    candidates/worker-<n>/<first>-<last>.jsonl       rows of that worker, one JSON object a line, written as they come

A result is put in storage as soon as the one before it is there, in one file with all that came meanwhile; at most
`MOST_UNWRITTEN` are ever on their way, so that a kill loses no more. Many small files are merged into one, and a reader
takes each candidate once, so that the merge may be cut off anywhere.
"""

import threading
from collections.abc import Iterable

import msgspec

from penstock_jobs.contract import document
from penstock_jobs.contract.result import CandidateRow
from penstock_jobs.storage import KeyNotFound, Store

FOLDER = "candidates"
_CLAIMS = f"{FOLDER}/claims/"
_MERGE_AT = 64
MOST_UNWRITTEN = 16


def read_candidates(run: Store) -> list[CandidateRow]:
    """Return the rows of all workers, one a candidate, in the order of the search, the baseline first."""
    return _read(run, f"{FOLDER}/worker-")


def _read(run: Store, prefix: str) -> list[CandidateRow]:
    rows: dict[str, CandidateRow] = {}
    for key in run.keys(prefix):
        if not key.endswith(".jsonl"):
            continue
        try:
            content = run.read(key)
        except KeyNotFound:  # merged since it was listed; its rows are in a file listed on the next try
            return _read(run, prefix)
        for row in _rows(content, f"{run.uri}/{key}"):
            rows.setdefault(row.candidate, row)
    return sorted(rows.values(), key=lambda row: (not row.baseline, row.index))


def _rows(content: bytes, origin: str) -> Iterable[CandidateRow]:
    try:
        return msgspec.json.Decoder(CandidateRow).decode_lines(content)
    except msgspec.ValidationError:  # rows of a worker of another version, one of which knows more
        return [document.decode(line, CandidateRow, origin) for line in content.splitlines() if line]


class Ledger:
    """One worker's view of the candidates: what is done, what is claimed by another, and where to write."""

    def __init__(self, run: Store, worker: int, workers: int) -> None:
        self._run = run
        self._worker = worker
        self._shared = workers > 1
        self._folder = f"{FOLDER}/worker-{worker}/"
        self.rows = {row.candidate: row for row in read_candidates(run)}
        self.own = {row.candidate for row in _read(run, self._folder)}
        self._claimed = self._claims()
        self._writer = _Writer(run, self._folder)

    def is_done(self, candidate: str) -> bool:
        """Return whether some worker had finished the candidate when this one began, or this one has since."""
        return candidate in self.rows

    def claim(self, candidate: str) -> bool:
        """Return whether the candidate is this worker's to do: now claimed, or claimed before it was started again."""
        if not self._shared:
            return True
        if candidate in self._claimed:
            return self._is_own(candidate)
        if self._run.write_if_absent(_CLAIMS + candidate, str(self._worker).encode()):
            return True
        self._claimed = self._claims()
        return self._is_own(candidate)

    def write(self, row: CandidateRow) -> None:
        """Keep the row; it is in storage soon after. Wait while too many are on their way; `close` waits for all."""
        self.rows[row.candidate] = row
        self.own.add(row.candidate)
        self._writer.put(row)

    def close(self) -> None:
        """Wait until every row is in storage; raise what kept one from getting there."""
        self._writer.close()

    def _claims(self) -> set[str]:
        return {key.removeprefix(_CLAIMS) for key in self._run.keys(_CLAIMS)} if self._shared else set()

    def _is_own(self, candidate: str) -> bool:
        return self._run.read(_CLAIMS + candidate) == str(self._worker).encode()


class _Writer:
    """Writes rows in a thread of its own: all that came while the last file was being written make the next one."""

    def __init__(self, run: Store, folder: str) -> None:
        self._run = run
        self._folder = folder
        self._waiting: list[CandidateRow] = []
        self._unwritten = 0
        self._changed = threading.Condition()
        self._closed = False
        self._failure: BaseException | None = None
        self._files = [key for key in run.keys(folder) if key.endswith(".jsonl")]
        self._next = 1 + max((_numbers(key)[1] for key in self._files), default=-1)
        self._thread = threading.Thread(target=self._work, name="candidates", daemon=True)
        self._thread.start()

    def put(self, row: CandidateRow) -> None:
        with self._changed:
            while self._unwritten >= MOST_UNWRITTEN and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            self._waiting.append(row)
            self._unwritten += 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            while rows := self._take():
                self._write(rows)
                with self._changed:
                    self._unwritten -= len(rows)
                    self._changed.notify_all()
                self._tidy()
            if len(self._files) > 1:
                self._merge(self._files)
        except BaseException as error:  # handed to the thread that waits for it
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _take(self) -> list[CandidateRow]:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            rows, self._waiting = self._waiting, []
            return rows

    def _write(self, rows: Iterable[CandidateRow]) -> None:
        content = msgspec.json.Encoder().encode_lines(rows)
        key = f"{self._folder}{self._next:08d}-{self._next:08d}.jsonl"
        self._run.write(key, content)
        self._files.append(key)
        self._next += 1

    def _tidy(self) -> None:
        """Merge the last files while there are enough of one size, so that each row is copied a few times only."""
        while len(self._files) >= _MERGE_AT and len({_span(key) for key in self._files[-_MERGE_AT:]}) == 1:
            self._merge(self._files[-_MERGE_AT:])

    def _merge(self, parts: list[str]) -> None:
        numbers = [number for key in parts for number in _numbers(key)]
        merged = f"{self._folder}{min(numbers):08d}-{max(numbers):08d}.jsonl"
        lines = dict.fromkeys(line for key in parts for line in self._run.read(key).splitlines(keepends=True))
        self._run.write(merged, b"".join(lines))
        for key in parts:
            if key != merged:
                self._run.delete(key)
        self._files = [key for key in self._files if key not in parts] + [merged]


def _numbers(key: str) -> tuple[int, int]:
    """Return the first and the last number of the writes that a file holds."""
    first, last = key.rpartition("/")[2].removesuffix(".jsonl").split("-")
    return int(first), int(last)


def _span(key: str) -> int:
    first, last = _numbers(key)
    return last - first + 1
