"""All settings, from the environment. CONTRACT names the variables; the README lists them with defaults."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

from config import contact, development, embedded, environment, headers, mailing

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = development.data_dir()
VERSION = "0.1.0"

DEBUG = environment.boolean("DEBUG", default=False)
HOST = environment.text("HOST", "127.0.0.1")
PORT = environment.integer("PORT", 8000, most=65535)
WORKERS = environment.integer("WORKERS", os.cpu_count() or 1, most=256)

SECRET_KEY = environment.text("SECRET_KEY", "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY must be set: there is no default outside of `make run`.")

ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{HOST}" if DEBUG else "")
TRUSTED_PROXIES = environment.integer("TRUSTED_PROXIES", 0, least=0, most=10)
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if not DEBUG and host != "*"]

EXPORT_STORAGE = environment.text("EXPORT_STORAGE", "file")
if EXPORT_STORAGE != "file":
    raise ImproperlyConfigured(f"EXPORT_STORAGE must be file, the only store so far, not {EXPORT_STORAGE!r}.")
EXPORT_RETENTION = environment.duration("EXPORT_RETENTION", "7 days")
EXPORT_TIMEOUT = environment.duration("EXPORT_TIMEOUT", "4 h")
EXPORT_HEARTBEAT_TIMEOUT = environment.duration("EXPORT_HEARTBEAT_TIMEOUT", "30 s")
EXPORT_MAX_ATTEMPTS = environment.integer("EXPORT_MAX_ATTEMPTS", 3)
EXPORT_MAX_ACTIVE_PER_USER = environment.integer("EXPORT_MAX_ACTIVE_PER_USER", 3)
EXPORT_MAX_IMAGES = environment.integer("EXPORT_MAX_IMAGES", 20_000)
API_RATE_LIMIT = environment.rate("API_RATE_LIMIT", "12000/minute")
API_WRITE_RATE_LIMIT = environment.rate("API_WRITE_RATE_LIMIT", "3000/minute")
API_ANONYMOUS_RATE_LIMIT = environment.rate("API_ANONYMOUS_RATE_LIMIT", "600/minute")
METRICS_TOKEN = environment.text("METRICS_TOKEN", "")
EXPORT_ROOT = DATA_DIR / "exports"
EXPORT_CRASH_AT = environment.text("EXPORT_CRASH_AT", "")
if EXPORT_CRASH_AT and not DEBUG:
    raise ImproperlyConfigured("EXPORT_CRASH_AT kills processes: it is for tests, in development mode only.")

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "django_rq",
    "pgtrigger",
    "ninja",
    "axes",
    "csp",
    "config",
    "projects",
    "exports",
]

MIDDLEWARE = [
    "config.tracing.trace_requests",
    "config.headers.HeadersMiddleware",
    "config.limits.StreamMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.limits.BodyLimitMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.outage.OutageMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# A web request that waits gives up with a clear answer; a worker's statements may be longer.
STATEMENT_TIMEOUT_MS = environment.integer("STATEMENT_TIMEOUT_MS", 5_000)
DATABASE_OPTIONS = {
    "options": " ".join(
        f"-c {name}={value}"
        for name, value in {
            "lock_timeout": "2s",
            "statement_timeout": f"{STATEMENT_TIMEOUT_MS}ms",
            "idle_in_transaction_session_timeout": "15s",
            "synchronous_commit": "on",
        }.items()
    ),
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

_embedded = embedded.addresses(DATA_DIR)
_POSTGRES = ("postgres", "postgresql", "pgsql")
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        environment.address("DATABASE_URL", "", _POSTGRES, "postgres://user@host/name, of a PostgreSQL")
    )
    if os.environ.get("DATABASE_URL")
    else {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(_embedded.postgres_socket_folder),
        "PORT": "5432",  # names the socket; without it PGPORT of the shell would
        "USER": "postgres",
        "NAME": "exports",
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).update(DATABASE_OPTIONS)
DATABASE_POOL = environment.integer("DATABASE_POOL", 0, least=0)
if DATABASE_POOL:
    # A failed connection is not tried again behind the scenes with growing pauses: the next request tries.
    patience = {"min_size": 0, "max_size": DATABASE_POOL, "timeout": 2, "reconnect_timeout": 0}
    DATABASES["default"]["OPTIONS"]["pool"] = patience
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.address(
    "REDIS_URL", _embedded.redis_url, ("redis", "rediss", "unix"), "redis://host:6379/0"
)
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "exports"},
    }
}
RQ_QUEUES = {
    "exports": {
        "URL": REDIS_URL,
        # The hard limit of a horse; the sweep times a job out before it by the database's clock.
        "DEFAULT_TIMEOUT": int(EXPORT_TIMEOUT.total_seconds()) + 600,
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 1, "health_check_interval": 15},
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
}
RQ = {"COMMIT_MODE": "auto", "WORKER_CLASS": "exports.worker.ExportWorker"}
RQ_SHOW_ADMIN_LINK = False

_mail = mailing.server(environment.text("EMAIL_URL", "console:" if DEBUG else ""))
EMAIL_BACKEND, EMAIL_TIMEOUT = _mail.backend, 5  # seconds for each answer of the mail server
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.is_upgraded, _mail.is_tls
SITE_URL = environment.text("SITE_URL", f"http://{HOST}:{PORT}" if DEBUG else "").rstrip("/")
mailing.check_site_url(SITE_URL, _mail)
SECURITY_CONTACT = contact.checked(environment.text("SECURITY_CONTACT", ""))
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", mailing.sender(SITE_URL))

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static_files.HashedFiles"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 << 20  # bytes: a body that selects 100,000 images fits
DATA_UPLOAD_MAX_NUMBER_FIELDS = EXPORT_MAX_IMAGES + 1000  # so that a form without scripts can select all

# What the web server waits for: a whole request, a reader of an answer. And how many connections it holds.
RECEIVE_TIMEOUT = environment.duration("RECEIVE_TIMEOUT", "30 s")
SEND_TIMEOUT = environment.duration("SEND_TIMEOUT", "60 s")
MAX_CONNECTIONS = environment.integer("MAX_CONNECTIONS", 4000)
MAX_SOCKETS_PER_USER = environment.integer("MAX_SOCKETS_PER_USER", 600)

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
_RULES = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_RULES}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_RULES}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_RULES}.CommonPasswordValidator"},
    {"NAME": f"{_RULES}.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds that the link of an e-mail is good for

# config.locks says who is locked, and for how long. What fails while somebody is locked is not counted, so that
# nobody can keep somebody else out for ever; what succeeded is not kept.
AXES_HANDLER = "config.locks.Locks"
AXES_FAILURE_LIMIT = 50
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "config.locks.address"
AXES_LOCKOUT_CALLABLE = "config.locks.locked"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "user_agent", "csrfmiddlewaretoken", "next"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("cs", "Čeština"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("zh-hans", "中文"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

CONTENT_SECURITY_POLICY = headers.POLICY
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not DEBUG:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = environment.boolean("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = environment.integer("SECURE_HSTS_SECONDS", 31_536_000, least=0)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

LOG_LEVEL = environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.formatter", "version": VERSION}},
    "filters": {"calm": {"()": "config.logs.Calm"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["calm"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # Django's own handler would say all again, not as JSON
        "django.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "rq.worker": {"level": "WARNING"},
        "tifffile": {"level": "CRITICAL"},  # what is wrong with a file is told to whoever opens it
        "axes": {"level": "ERROR"},  # config.locks says what matters, without names
    },
}
