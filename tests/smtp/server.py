"""A real mail server for the tests: aiosmtpd on 127.0.0.1, one file for each mail.

server.py PORT FOLDER [--certificate FILE --key FILE] [--tls] [--user NAME --password WORD] [--delay SECONDS]

With a certificate STARTTLS is required, or TLS from the beginning (--tls). Writes "ready" when it listens; ends when its standard
input does, or by a signal. The mails are FOLDER/000001.eml and so on, in the order of their acceptance, headers and body as
received; numbers go on where a folder has mails already."""
import argparse
import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Mailbox:
    def __init__(self, folder, delay):
        self.folder = folder
        self.delay = delay
        self.count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.delay)
        self.count += 1
        path = self.folder / f"{self.count:06}.eml"
        temporary = path.with_suffix(".new")
        temporary.write_bytes(envelope.original_content)
        temporary.rename(path)
        return "250 accepted"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--delay", type=float, default=0)
    arguments = parser.parse_args()

    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)

    def authenticate(server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and data.login == arguments.user.encode() \
            and data.password == arguments.password.encode()
        return AuthResult(success=known, handled=False)

    options = {"enable_SMTPUTF8": False}
    if context and not arguments.tls:
        options.update(tls_context=context, require_starttls=True)
    if arguments.user:
        # aiosmtpd takes a login only when it knows of TLS, which it does not behind a TLS socket.
        options.update(authenticator=authenticate, auth_required=True, auth_require_tls=bool(context) and not arguments.tls)

    class Server(Controller):
        def factory(self):
            return SMTP(self.handler, **options)

    server = Server(Mailbox(arguments.folder, arguments.delay), hostname="127.0.0.1", port=arguments.port,
                    ssl_context=context if arguments.tls else None)
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
