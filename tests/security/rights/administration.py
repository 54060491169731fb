"""The pages of the administration: what staff may, who have the permission to view each model and no other.

Whoever is not staff is sent to the administration's login page, by each of them but that page.
"""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType

from projects.models import Membership, Project
from tests.security.rights.stage import Stage

STAFF = """
#                                                                                          GET POST
admin/                                                                                      200  200
admin/(?P<url>.*)$                                                                          404  404
admin/auth/group/                                                                           200  200
admin/auth/group/<path:object_id>/                                                          302  302
admin/auth/group/<path:object_id>/change/                                                   302  403
admin/auth/group/<path:object_id>/delete/                                                   403  403
admin/auth/group/<path:object_id>/history/                                                  302  302
admin/auth/group/add/                                                                       403  403
admin/auth/user/                                                                            200  200
admin/auth/user/<id>/password/                                                              403  403
admin/auth/user/<path:object_id>/                                                           302  302
admin/auth/user/<path:object_id>/change/                                                    200  403
admin/auth/user/<path:object_id>/delete/                                                    403  403
admin/auth/user/<path:object_id>/history/                                                   200  200
admin/auth/user/add/                                                                        403  403
admin/autocomplete/                                                                         403  405
admin/^(?P<app_label>auth|axes|projects|exports)/$                                          200  200
admin/axes/accessattempt/                                                                   200  200
admin/axes/accessattempt/<path:object_id>/                                                  302  302
admin/axes/accessattempt/<path:object_id>/change/                                           302  403
admin/axes/accessattempt/<path:object_id>/delete/                                           403  403
admin/axes/accessattempt/<path:object_id>/history/                                          302  302
admin/axes/accessattempt/add/                                                               403  403
admin/exports/apitoken/                                                                     200  200
admin/exports/apitoken/<path:object_id>/                                                    302  302
admin/exports/apitoken/<path:object_id>/change/                                             200  403
admin/exports/apitoken/<path:object_id>/delete/                                             403  403
admin/exports/apitoken/<path:object_id>/history/                                            200  200
admin/exports/apitoken/add/                                                                 403  403
admin/exports/exportjob/                                                                    200  200
admin/exports/exportjob/<path:object_id>/                                                   302  302
admin/exports/exportjob/<path:object_id>/change/                                            200  403
admin/exports/exportjob/<path:object_id>/delete/                                            403  403
admin/exports/exportjob/<path:object_id>/history/                                           200  200
admin/exports/exportjob/act/<str:name>/                                                     403  403
admin/exports/exportjob/add/                                                                403  403
admin/jsi18n/                                                                               200  405
admin/login/                                                                                302  200
admin/logout/                                                                               405  302
admin/overview/                                                                             200  405
admin/password_change/                                                                      200  200
admin/password_change/done/                                                                 200  405
admin/projects/image/                                                                       200  200
admin/projects/image/<path:object_id>/                                                      302  302
admin/projects/image/<path:object_id>/change/                                               200  403
admin/projects/image/<path:object_id>/delete/                                               403  403
admin/projects/image/<path:object_id>/history/                                              200  200
admin/projects/image/add/                                                                   403  403
admin/projects/membership/                                                                  200  200
admin/projects/membership/<path:object_id>/                                                 302  302
admin/projects/membership/<path:object_id>/change/                                          200  403
admin/projects/membership/<path:object_id>/delete/                                          403  403
admin/projects/membership/<path:object_id>/history/                                         200  200
admin/projects/membership/add/                                                              403  403
admin/projects/project/                                                                     200  200
admin/projects/project/<path:object_id>/                                                    302  302
admin/projects/project/<path:object_id>/change/                                             200  403
admin/projects/project/<path:object_id>/delete/                                             403  403
admin/projects/project/<path:object_id>/history/                                            200  200
admin/projects/project/add/                                                                 403  403
admin/r/<int:content_type_id>/<path:object_id>/                                             404  404
admin/r/<path:content_type_id>/<path:object_id>/                                            404  404
admin/rq/                                                                                   200  405
admin/rq/cron-schedulers/<int:connection_index>/<str:scheduler_name>/                       405  405
admin/rq/cron-schedulers/<int:connection_index>/<str:scheduler_name>/jobs/<path:cron_job_name>/ 405  405
admin/rq/queues/<int:queue_index>/                                                          200  405
admin/rq/queues/<int:queue_index>/<str:job_id>/                                             404  405
admin/rq/queues/<int:queue_index>/<str:job_id>/delete/                                      405  405
admin/rq/queues/<int:queue_index>/<str:job_id>/enqueue/                                     405  405
admin/rq/queues/<int:queue_index>/<str:job_id>/requeue/                                     405  405
admin/rq/queues/<int:queue_index>/<str:job_id>/results/<str:result_id>/                     404  405
admin/rq/queues/<int:queue_index>/<str:job_id>/stop/                                        405  405
admin/rq/queues/<int:queue_index>/deferred/                                                 200  405
admin/rq/queues/<int:queue_index>/details/                                                  200  405
admin/rq/queues/<int:queue_index>/empty/                                                    405  405
admin/rq/queues/<int:queue_index>/failed/                                                   200  405
admin/rq/queues/<int:queue_index>/failed/clear/                                             405  405
admin/rq/queues/<int:queue_index>/finished/                                                 200  405
admin/rq/queues/<int:queue_index>/requeue-all/                                              405  405
admin/rq/queues/<int:queue_index>/scheduled/                                                200  405
admin/rq/queues/<int:queue_index>/started/                                                  200  405
admin/rq/queues/actions/<int:queue_index>/                                                  405  405
admin/rq/queues/confirm-action/<int:queue_index>/                                           405  405
admin/rq/schedulers/<int:scheduler_index>/                                                  405  405
admin/rq/workers/<int:queue_index>/                                                         200  405
admin/rq/workers/<int:queue_index>/<str:key>/                                               404  405
"""


def of_staff() -> dict[str, tuple[str, str]]:
    """By route: what GET and POST are answered with."""
    found = [each.split() for each in STAFF.strip().splitlines() if not each.startswith("#")]
    return {route: (by_get, by_post) for route, by_get, by_post in found}


def filled(stage: Stage, route: str) -> str:
    """An address of the route, of objects that exist as far as it names any."""
    known = stage.known["owner"]
    objects = {
        "admin/exports/exportjob/": known["job"],
        "admin/exports/apitoken/": known["api_key"],
        "admin/projects/project/": known["project"],
        "admin/projects/image/": known["image"],
        "admin/projects/membership/": Membership.objects.earliest("pk").pk,
        "admin/auth/user/": stage.users["owner"].pk,
    }
    place = next((each for each in objects if route.startswith(each)), "")
    fillings = {
        "<path:object_id>": str(objects.get(place, 1)),
        "<id>": str(objects.get(place, 1)),
        "<path:content_type_id>": "x",
        "<int:content_type_id>": str(ContentType.objects.get_for_model(Project).pk),
        "^(?P<app_label>auth|axes|projects|exports)/$": "exports/",
        "(?P<url>.*)$": "nothing",
        "<str:name>": "cancel",
        "<int:queue_index>": "0",
        "<int:scheduler_index>": "0",
        "<int:connection_index>": "0",
    }
    for placeholder, text in fillings.items():
        route = route.replace(placeholder, text)
    for placeholder in ("job_id", "key", "result_id", "scheduler_name"):
        route = route.replace(f"<str:{placeholder}>", "x")
    return "/" + route.replace("<path:cron_job_name>", "x")
