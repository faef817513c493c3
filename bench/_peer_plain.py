"""Peers of the scan benchmark: the endpoint one writes first, and one over django-hordak.

Runs in an environment of its own (Django, DRF, django-hordak, Granian), not in ours, and imports
nothing of ours.  ``/orm``: DRF with token authentication and plain ORM in one transaction, the
wallet locked, the id remembered, an audit row written.  ``/hordak``: the same door, the points
as a hordak transaction with two legs.  Set up by ``python _peer_plain.py PEOPLE SESSIONS``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent))
HORDAK = os.environ.get("PEER_HORDAK", "1") == "1"
_URL = urlsplit(os.environ["PEER_DATABASE_URL"])

import django  # noqa: E402
from django.conf import settings  # noqa: E402

if not settings.configured:
    settings.configure(
        SECRET_KEY="peer" * 12, ALLOWED_HOSTS=["*"], ROOT_URLCONF="_peer_plain", USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.contenttypes", "django.contrib.auth", "rest_framework",
            "rest_framework.authtoken", *(["mptt", "hordak"] if HORDAK else []),
        ],
        MIDDLEWARE=["django.middleware.security.SecurityMiddleware",
                    "django.middleware.common.CommonMiddleware"],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": _URL.path[1:],
            "USER": _URL.username, "PASSWORD": _URL.password, "HOST": _URL.hostname,
            "PORT": str(_URL.port), "OPTIONS": {"pool": {"min_size": 1, "max_size": 8}},
        }},
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "rest_framework.authentication.TokenAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
    )
    django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Card(models.Model):
    code = models.CharField(max_length=16, unique=True)

    class Meta:
        app_label = "peer"


class Wallet(models.Model):
    card = models.OneToOneField(Card, models.PROTECT)
    balance = models.IntegerField(default=0)
    account = models.BigIntegerField(null=True)

    class Meta:
        app_label = "peer"


class Event(models.Model):
    title = models.CharField(max_length=80)
    held_on = models.DateField()
    cap = models.IntegerField(default=3)

    class Meta:
        app_label = "peer"


class Visit(models.Model):
    card = models.ForeignKey(Card, models.PROTECT)
    event = models.ForeignKey(Event, models.PROTECT)
    points = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        app_label = "peer"
        constraints = [models.UniqueConstraint(fields=["card", "event"], name="visit_once")]


class Movement(models.Model):
    wallet = models.ForeignKey(Wallet, models.PROTECT)
    visit = models.ForeignKey(Visit, models.PROTECT)
    amount = models.IntegerField()
    sentence = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        app_label = "peer"


class Seen(models.Model):
    id = models.UUIDField(primary_key=True)
    answer = models.JSONField()

    class Meta:
        app_label = "peer"


class Log(models.Model):
    user = models.ForeignKey(User, models.PROTECT)
    action = models.CharField(max_length=40)
    visit = models.ForeignKey(Visit, models.PROTECT)
    at = models.DateTimeField()

    class Meta:
        app_label = "peer"


OURS = (Card, Wallet, Event, Visit, Movement, Seen, Log)


class ScanIn(serializers.Serializer):
    id = serializers.UUIDField()
    code = serializers.CharField(max_length=16)
    session = serializers.IntegerField()
    scanned_at = serializers.DateTimeField()


class Orm(APIView):
    """One transaction, ORM objects throughout."""

    def move(self, wallet: Wallet, visit: Visit, points: int, sentence: str) -> None:
        Movement.objects.create(wallet=wallet, visit=visit, amount=points, sentence=sentence,
                                at=visit.at)
        wallet.balance += points
        wallet.save(update_fields=["balance"])

    def post(self, request):
        form = ScanIn(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        with transaction.atomic():
            first = Seen.objects.filter(pk=given["id"]).first()
            if first is not None:
                return Response(first.answer)
            card = Card.objects.get(code=given["code"])
            event = Event.objects.get(pk=given["session"])
            wallet = Wallet.objects.select_for_update().get(card=card)
            visit = Visit.objects.filter(card=card, event=event).first()
            points = 0
            if visit is None:
                day = Visit.objects.filter(card=card, event__held_on=event.held_on)
                used = day.aggregate(total=models.Sum("points"))["total"] or 0
                points = max(0, min(1, event.cap - used))
                visit = Visit.objects.create(card=card, event=event, points=points,
                                             at=timezone.now())
                if points:
                    self.move(wallet, visit, points, f"{event.held_on} {event.title} 1ポイント")
            answer = {"id": str(given["id"]), "points": points, "balance": wallet.balance}
            Seen.objects.create(pk=given["id"], answer=answer)
            Log.objects.create(user=request.user, action="scan", visit=visit, at=visit.at)
        return Response(answer)


urlpatterns = [path("orm", Orm.as_view())]
if HORDAK:
    from decimal import Decimal

    from hordak.models import Account, Leg, Transaction

    class Hordak(Orm):
        """The points as a transaction of two legs."""

        def move(self, wallet: Wallet, visit: Visit, points: int, sentence: str) -> None:
            entry = Transaction.objects.create(description=sentence)
            for account, sign in ((wallet.account, 1), (self.issue(), -1)):
                amount = Decimal(points)
                if hasattr(Leg, "amount") and not hasattr(Leg(), "credit"):
                    Leg.objects.create(transaction=entry, account_id=account,
                                       amount=sign * amount)
                elif sign > 0:
                    Leg.objects.create(transaction=entry, account_id=account, credit=amount)
                else:
                    Leg.objects.create(transaction=entry, account_id=account, debit=amount)
            wallet.balance += points
            wallet.save(update_fields=["balance"])

        _issue: int | None = None

        def issue(self) -> int:
            if Hordak._issue is None:
                Hordak._issue = Account.objects.get(name="issue").pk
            return Hordak._issue

    urlpatterns.append(path("hordak", Hordak.as_view()))


def set_up(people: int, sessions: int) -> None:
    """Make the tables and fill them; prints one JSON line."""
    from datetime import date, timedelta

    from django.core.management import call_command

    call_command("migrate", verbosity=0, run_syncdb=True)
    with connection.schema_editor() as editor:
        for model in OURS:
            editor.create_model(model)
    user = User.objects.create(username="device")
    token = Token.objects.create(user=user).key
    cards = Card.objects.bulk_create([Card(code=f"CARD{n:08d}") for n in range(people)])
    accounts = [None] * people
    if HORDAK:
        Account.objects.create(name="issue", type="EX", currencies=["EUR"])
        top = Account.objects.create(name="wallets", type="IN", currencies=["EUR"])
        few = [Account.objects.create(name=f"w{n}", parent=top, type="IN", currencies=["EUR"]).pk
               for n in range(min(people, 200))]
        accounts = [few[n % len(few)] for n in range(people)]
    Wallet.objects.bulk_create([Wallet(card=c, account=accounts[n]) for n, c in enumerate(cards)])
    events = Event.objects.bulk_create([
        Event(title=f"sample {n}", held_on=date(2026, 4, 1) + timedelta(days=n))
        for n in range(sessions)
    ])
    print(json.dumps({"token": token, "cards": [c.code for c in cards],
                      "sessions": [e.pk for e in events]}))


if __name__ == "__main__":
    set_up(int(sys.argv[1]), int(sys.argv[2]))
else:
    application = get_wsgi_application()
