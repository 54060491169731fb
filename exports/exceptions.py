"""What can be refused, with the sentence for the user, a stable code and the HTTP status.

Raised anywhere, rendered in one place (`config.api`).
"""

from __future__ import annotations

from django.utils.translation import gettext


class ExportError(Exception):
    """This cannot be done with this export."""

    # The docstring of each error is its sentence, and the message id of its translations.

    code = "export_error"
    status = 400
    retry_after: int | None = None
    """Seconds after which another try makes sense."""

    def __init__(self, sentence: str = "", **details: object) -> None:
        self.sentence = sentence or gettext((self.__doc__ or "").strip())
        self.details = details
        super().__init__(self.sentence)


class Refusal(ExportError):
    """This export cannot do that any more, or not yet."""

    # Each is kept in the audit of its export.

    code = "refused"
    status = 409


class InvalidOptions(ExportError):
    """These options cannot be used."""

    code = "invalid_options"
    status = 422


class InvalidJson(ExportError):
    """The body is not valid JSON."""

    code = "invalid_options"
    status = 400


class UnsupportedMediaType(ExportError):
    """The body has to be JSON. Send the header `Content-Type: application/json`."""

    code = "unsupported_media_type"
    status = 415


class ExportNotAllowed(ExportError):
    """You may look at this project, but not export it. Ask its owner for the exporter role."""

    code = "export_not_allowed"
    status = 403


class ScopeMissing(ExportError):
    """This key may only read. Use a key with the scope “export”."""

    code = "scope_missing"
    status = 403


class PresetNameTaken(ExportError):
    """There is a preset of this name already. Choose another name."""

    code = "preset_name_taken"
    status = 409


class ImageUnreadable(ExportError):
    """This image cannot be shown: its file is damaged, or of a kind that is not read here."""

    code = "image_unreadable"
    status = 422


class ImageTooLarge(ExportError):
    """This image is too large for a preview. Its overlay is made when it is exported."""

    code = "image_too_large"
    status = 413


class NothingToExport(ExportError):
    """There is nothing to export: the project has no images."""

    code = "nothing_to_export"
    status = 409


class IdempotencyKeyReused(ExportError):
    """This Idempotency-Key was used for another request. Use a new key for each new request."""

    code = "idempotency_key_reused"
    status = 422


class TooManyActiveExports(ExportError):
    """You have as many exports running as you may. Wait until one ends, or cancel one."""

    code = "too_many_active_exports"
    status = 429
    retry_after = 15


class TooManyRequests(ExportError):
    """There were too many requests. Wait a moment, then go on more slowly."""

    code = "too_many_requests"
    status = 429


class InsufficientStorage(ExportError):
    """There is not enough free disk space for this export. Try again later or select fewer images."""

    code = "insufficient_storage"
    status = 507


class AlreadyDownloaded(Refusal):
    """This export was downloaded already and can no longer be cancelled."""

    code = "already_downloaded"
    status = 409


class AlreadyFailed(Refusal):
    """This export failed already: there is nothing to cancel."""

    code = "already_failed"
    status = 409


class AlreadyExpired(Refusal):
    """This export expired already: there is nothing to cancel."""

    code = "already_expired"
    status = 409


class StillActive(ExportError):
    """This export is still being made. Cancel it first."""

    code = "still_active"
    status = 409


class NotCompleted(Refusal):
    """This export is not ready to download."""

    code = "export_not_completed"
    status = 404


class Failed(Refusal):
    """This export failed: there is no file to download."""

    code = "export_failed"
    status = 404


class Cancelled(Refusal):
    """This export was cancelled: there is no file to download."""

    code = "export_cancelled"
    status = 410


class Expired(Refusal):
    """The file of this export was removed. Start a new export to get it again."""

    code = "export_expired"
    status = 410


class FileGone(Expired):
    """The file of this export is missing or was changed. Start a new export to get it again."""


class RangeNotSatisfiable(ExportError):
    """The file has no such bytes."""

    code = "range_not_satisfiable"
    status = 416


class AlreadyAutoDownloaded(ExportError):
    """This export was downloaded automatically already."""

    code = "already_auto_downloaded"
    status = 409


class TokenInvalid(ExportError):
    """This download link is not valid, or not any more."""

    code = "token_invalid"
    status = 404


class Busy(ExportError):
    """The export is being changed by somebody else at this moment. Try again."""

    code = "busy"
    status = 503
    retry_after = 1


class IllegalMove(ExportError):
    """An export in this state cannot do that."""

    code = "illegal_move"
    status = 409


class LostClaim(ExportError):
    """The export is no longer this attempt's to change: it was cancelled, requeued or timed out."""

    code = "lost_claim"
    status = 409
