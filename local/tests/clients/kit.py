"""Shared by the scripts: a pool, its messages and clock, and counted steps.

As `kit.mjs`, which says more.
"""

import atexit
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import traceback
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PLAIN = (HERE / "pool.toml").read_text()
EMPTY = "username_attributes = []"
assert EMPTY in PLAIN

POOLS = {
    "default": ("a pool without configuration", None),
    "addresses": ("addresses as plain user names", None),
    "plain": ("plain user names", PLAIN),
    "email": ("e-mail user names", PLAIN.replace(EMPTY, 'username_attributes = ["email"]')),
}


def run_client(client, script, names=tuple(POOLS)):
    """Runs a client against each pool, or against the one that the command line names."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else None
    failures = 0
    for name in names:
        if wanted in (None, name):
            pool = Pool(name)
            steps = Steps()
            try:
                script(pool, steps)
            except Exception:
                steps.fail("the script completes")
            pool.stop()
            print(f"{client}, {pool.title}: {steps.done} steps, {steps.failed} failed", flush=True)
            failures += steps.failed
    sys.exit(1 if failures else 0)


class Steps:
    """Counts the steps of a script."""

    def __init__(self):
        self.done = 0
        self.failed = 0

    @contextmanager
    def __call__(self, title):
        self.done += 1
        try:
            yield
        except Exception:
            self.fail(title)

    def fail(self, title):
        self.failed += 1
        print(f"  FAILED: {title}\n    " + traceback.format_exc(limit=-2, chain=False).replace("\n", "\n    "))


@contextmanager
def refused(*names):
    """Passes if the call inside fails with an error of one of these names."""
    try:
        yield
    except Exception as error:
        response = getattr(error, "response", None)
        name = response["Error"]["Code"] if response else type(error).__name__
        assert name in names, f"expected {names}, found {name} ({error})"
        return
    raise AssertionError(f"expected {names}, but the call succeeded")


def claims(token):
    """Decodes the claims of a token without verification."""
    return json.loads(_decoded(token.split(".")[1]))


def forgeries(token):
    """Returns forged variants of a token."""
    header, payload, signature = token.split(".")
    other = {**claims(token), "username": "somebody", "sub": "00000000-0000-4000-8000-000000000000"}
    turned = "B" if signature[9] == "A" else "A"
    return {
        "with another user": f"{header}.{_encoded(other)}.{signature}",
        "with another signature": f"{header}.{payload}.{signature[:9]}{turned}{signature[10:]}",
        "without a signature": f"{_encoded({'alg': 'none'})}.{payload}.",
    }


def secret_hash(username, client_id, secret):
    """Returns the secret hash of a client."""
    tag = hmac.digest(secret.encode(), (username + client_id).encode(), hashlib.sha256)
    return base64.b64encode(tag).decode()


def totp(secret, seconds):
    """Returns the one-time password for a time in seconds (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    tag = hmac.digest(key, struct.pack(">Q", int(seconds // 30)), hashlib.sha1)
    start = tag[-1] & 0x0F
    number = struct.unpack(">I", tag[start : start + 4])[0] & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"


def wrong(code):
    """Returns a six-digit code that differs from `code`."""
    return "654321" if code == "123456" else "123456"


def _encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Pool:
    """A pool in its own process, or the one at `POOL_ENDPOINT`."""

    id = "us-east-1_Local0001"
    client_id = "localclient0000000000000000"
    rotating_client_id = "rotatingclient000000000000"

    def __init__(self, name):
        self.title, config = POOLS[name]
        self.has_custom_attributes = config is not None
        self.has_addresses = name in ("addresses", "email")
        self._process = None
        self.endpoint = os.environ.get("POOL_ENDPOINT") or self._serve(config)

    def _serve(self, config):
        program = os.environ.get("LOCAL_POOL", HERE / "../../../target/debug/tower-cognito-local")
        arguments = [program, "--port", "0", "--pool-id", self.id, "--client-id", self.client_id]
        if config is not None:
            file = tempfile.NamedTemporaryFile("w", suffix=".toml")
            file.write(config)
            file.flush()
            self._file = file
            arguments += ["--config", file.name]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)
        for line in self._process.stdout:
            if found := re.search(r"is at (http://\S+?)\.\s", line):
                return found[1]
        raise RuntimeError("the pool exited before it printed its address")

    def stop(self):
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def user(self, name):
        """Returns the sign-in data and address of a user."""
        email = f"{name}@example.com"
        return (email if self.has_addresses else name), email, "Correct-Horse-1"

    def messages(self, username):
        """Returns the messages sent to a user, newest first."""
        query = urllib.parse.urlencode({"username": username})
        with urllib.request.urlopen(f"{self.endpoint}/_local/messages?{query}") as answer:
            return json.load(answer)

    def code(self, username):
        """Returns the newest code sent to a user."""
        code = self.messages(username)[0]["code"]
        assert re.fullmatch(r"\d{6}", code)
        return code

    def advance(self, seconds):
        """Advances the clock, and returns the pool's time in seconds."""
        request = urllib.request.Request(
            f"{self.endpoint}/_local/clock",
            data=json.dumps({"advance_seconds": seconds}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)[self.id]

    def totp(self, secret):
        """Returns an unused one-time password, by advancing the clock to the next time step."""
        return totp(secret, self.advance(30))
