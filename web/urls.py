"""The human face: which pages exist, by the faces that this process serves.

Owns the table of pages.  ``FACES`` mounts only those trees (interfaces.md): ``public`` is the
volunteer's phone, ``community`` hosts, shops and the welfare council, ``office`` the city.
The first page and the door belong to every face.  Capitals (/E/…, /C/…) are what QR codes say.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from web import (
    urls_community,
    urls_council_rules,
    urls_groups,
    urls_kiosk,
    urls_office,
    urls_paper,
    urls_persons,
    urls_years,
)
from web.views import (
    council,
    council_volunteers,
    home,
    host,
    host_records,
    my_card,
    my_points,
    phone,
    scan,
    shop,
    sign_in,
    statistics,
)

shared: list[URLPattern | URLResolver] = [
    path("", home.Home.as_view(), name="home"),
    path("sign-in", sign_in.Password.as_view(), name="sign-in"),
    path("sign-in/code", sign_in.Code.as_view(), name="sign-in-code"),
    path("sign-out", sign_in.Leave.as_view(), name="sign-out"),
]

public: list[URLPattern | URLResolver] = [
    path("bind", phone.Bind.as_view(), name="bind"),
    path("E/<str:code>", scan.Event.as_view(), name="event"),
    path("e/<str:code>", scan.EventAddress.as_view(), name="event-small"),
    path("me", my_points.MyPointsPage.as_view(), name="my-points"),
    path("me/exchange", my_points.Exchange.as_view(), name="exchange"),
    path("me/exchange/<uuid:exchange_id>", my_points.ExchangeDone.as_view(), name="exchange-done"),
    path("me/exchange/<uuid:exchange_id>/vouchers.pdf", my_points.ExchangePrint.as_view(),
         name="exchange-print"),
    path("me/supporter", my_points.Supporter.as_view(), name="my-supporter"),
    path("me/card", my_card.MyCard.as_view(), name="my-card"),
    path("me/card/lost", my_card.CardLost.as_view(), name="card-lost"),
    path("me/phones/<int:device_id>/remove", my_card.RemovePhone.as_view(), name="phone-remove"),
    path("C/<str:code>", my_card.CardAddress.as_view(), name="card"),
    path("c/<str:code>", my_card.CardAddress.as_view(), name="card-small"),
    path("V/<str:code>", shop.VoucherAddress.as_view(), name="voucher"),
]

community: list[URLPattern | URLResolver] = [
    path("host", host.Home.as_view(), name="host-home"),
    path("host/sessions/<int:session_id>", host_records.OneSession.as_view(), name="host-session"),
    path("host/sessions/<int:session_id>/reception", host.Reception.as_view(),
         name="host-reception"),
    path("host/sessions/<int:session_id>/code.svg", host.Code.as_view(), name="host-code"),
    path("host/sessions/<int:session_id>/search", host.Search.as_view(), name="host-search"),
    path("host/sessions/<int:session_id>/search/accept", host.Accept.as_view(),
         name="host-search-accept"),
    path("host/sessions/<int:session_id>/entry", host.Entry.as_view(), name="host-entry"),
    path("host/sessions/<int:session_id>/records/<int:attendance_id>/void",
         host_records.Void.as_view(), name="host-void"),
    path("shop", shop.Take.as_view(), name="shop"),
    path("shop/uses", shop.Uses.as_view(), name="shop-uses"),
    path("council", council.Home.as_view(), name="council-home"),
    path("council/sessions", council.Sessions.as_view(), name="council-sessions"),
    path("council/statistics", statistics.Statistics.as_view(), name="council-statistics"),
    path("council/statistics/export", statistics.Export.as_view(),
         name="council-statistics-export"),
    path("council/volunteers", council_volunteers.Volunteers.as_view(), name="council-volunteers"),
    path("council/volunteers/<int:volunteer_id>", council_volunteers.Volunteer.as_view(),
         name="council-volunteer"),
    path("council/phones/<int:device_id>/remove", council_volunteers.RemovePhone.as_view(),
         name="council-phone-remove"),
    path("council/cards", council_volunteers.Cards.as_view(), name="council-cards"),
]


def pages(faces: Iterable[str]) -> list[URLPattern | URLResolver]:
    """The pages of some faces; the first page and the door always."""
    wanted = set(faces)
    found = [*shared]
    if "public" in wanted:
        found += [*public, *urls_persons.public]
    if "community" in wanted:
        found += [*community, *urls_groups.urlpatterns, *urls_kiosk.urlpatterns,
                  *urls_community.urlpatterns, *urls_paper.urlpatterns,
                  *urls_persons.community,
                  *urls_council_rules.urlpatterns, *urls_years.urlpatterns]
    if "office" in wanted:
        found += urls_office.urlpatterns
    return found


urlpatterns = pages(settings.FACES)
