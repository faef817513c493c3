"""Every setting of the service, read from the environment with safe defaults.

Owns the meaning of each variable (documented in docs/settings.md, tested).  Refuses unsafe
production settings: ``bin/serve`` runs the deployment checks of ``config/checks.py``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from config import env

BASE = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE / "var")))
PRODUCTION = env.flag("PRODUCTION", False)
DEMO = env.flag("DEMO", False)

DEBUG = False
SECRET_KEY = env.secret("SECRET_KEY", DATA_DIR / "secret_key").decode()
# The root key of sealed fields and files, by key id; keys below it are derived.
DATA_KEYS = {1: hashlib.sha256(env.secret("DATA_KEY", DATA_DIR / "data_key")).digest()}
FILE_STORE = Path(env.text("FILE_STORE", str(DATA_DIR / "files")))
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", "")
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8000")
# The host in printed QR codes: short, capitals (P6).
CODE_HOST = env.text("CODE_HOST", "TG.EXAMPLE.JP")
FACES = env.words("FACES", "public,community,office")
CITY_CODE = env.text("CITY_CODE", "072028")
CITY_NAME = env.text("CITY_NAME", "会津若松市")
# The municipality's own reviewed mapping profiles (JSON); shipped samples are found without it.
IMPORT_PROFILES = Path(env.text("IMPORT_PROFILES", str(DATA_DIR / "profiles")))
PLANE_ZONE = env.number("PLANE_ZONE", 9, least=1)
HELP_PHONE = env.text("HELP_PHONE", "0242-00-0000")
HELP_OFFICE = env.text("HELP_OFFICE", "社協ボランティア係")
HELP_HOURS = env.text("HELP_HOURS", "平日 8時30分〜17時15分")
# How many supporters a listed person should have, and how far they may live (metres).
SUPPORTERS_WANTED = env.number("SUPPORTERS_WANTED", 2, least=1)
MATCH_RADIUS_M = env.number("MATCH_RADIUS_M", 800, least=50)
CONSENT_MODE = env.text("CONSENT_MODE", "opt_in")
# The article that the mode rests on, printed on every edition, and its first day.
CONSENT_CITATION = env.text("CONSENT_CITATION", "災害対策基本法第49条の11第2項本文")
CONSENT_MODE_FROM = env.text("CONSENT_MODE_FROM", "1947-01-01")
# First months of the sharing periods; exceptions per kind: "commissioner=4,10 neighbourhood=4".
SHARING_MONTHS = env.words("SHARING_MONTHS", "4,10")
SHARING_MONTHS_BY_KIND = env.text("SHARING_MONTHS_BY_KIND", "")
# Kinds of recipient that get the spreadsheet beside the booklet.
SHARING_FILE_KINDS = env.words("SHARING_FILE_KINDS", "commissioner,neighbourhood")
# The section that stands on editions, notices and letters.
ROSTER_OFFICE = env.text("ROSTER_OFFICE", "危機管理課")
MAYOR_NAME = env.text("MAYOR_NAME", "会津若松市長")

DATABASE_APP_ROLE = env.text("DATABASE_APP_ROLE", "tsunagari_app")
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(
        env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'tsunagari.sqlite3'}"),
        pool=env.flag("DATABASE_POOL", False),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Commits ring a bell for the workers; off where no queue exists (tests, single commands).
BELL = env.flag("BELL", True)
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "django_htmx",
    "template_partials",
    "csp",
    "registry.apps.RegistryConfig",
    "points.apps.PointsConfig",
    "evacuation.apps.EvacuationConfig",
    "workers.apps.WorkersConfig",
    "api.apps.ApiConfig",
    "web.apps.WebConfig",
    "config.apps.CommandsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context.site",
            ],
        },
    },
]

AUTH_USER_MODEL = "registry.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "registry.mfa.SealedMFAAdapter"
MFA_TOTP_TOLERANCE = 1

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * env.number("SESSION_IDLE_MINUTES", 60, least=1)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and env.flag("HTTPS_REDIRECT", True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
# Health marks answer on plain HTTP inside the machine or the pod.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    },
}

LANGUAGE_CODE = "ja"
TIME_ZONE = "Asia/Tokyo"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.BearerToken", "api.authentication.Session"],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.DeclaredPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "api.describing.Schema",
    "EXCEPTION_HANDLER": "api.errors.problem",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "iso-8601",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tsunagari API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"ActivitySourceEnum": ["group", "centre", "event"]},
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.loglines.PlaceOnly",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "pikepdf": {"level": "WARNING"},
    },
}
