"""Who gets which answer where: one line an address, one column a visitor.

`{job}`, `{preset}` are the owner's (the preset is shared), `{own}`, `{own_preset}` the visitor's, or nobody's where
they have none; `api_key` likewise; `{other}` is another project of the owner, `{elsewhere}` an image of it. `login` stands for being
sent to the login page.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.security.rights.stage import VISITORS

API = """
#                                                      anonymous stranger viewer exporter editor owner staff revoked inactive
GET    /api/projects                                              401  200  200  200  200  200  200  200  401
GET    /api/projects/{project}                                    401  404  200  200  200  200  404  404  401
GET    /api/projects/{project}/images                             401  404  200  200  200  200  404  404  401
GET    /api/projects/{project}/images/ids                         401  404  200  200  200  200  404  404  401
GET    /api/projects/{other}                                      401  404  404  404  404  200  404  404  401
GET    /api/projects/{other}/images                               401  404  404  404  404  200  404  404  401
POST   /api/projects/{project}/export                             401  404  403  202  202  202  404  404  401
POST   /api/projects/{other}/export                               401  404  404  404  404  202  404  404  401
POST   /api/projects/{project}/export/estimate                    401  404  403  200  200  200  404  404  401
GET    /api/projects/{project}/export/history                     401  404  200  200  200  200  404  404  401
GET    /api/projects/{project}/export/{job}/status                401  404  404  404  404  200  404  404  401
GET    /api/projects/{project}/export/{own}/status                401  404  200  200  200  200  404  404  401
GET    /api/projects/{other}/export/{own}/status                  401  404  404  404  404  404  404  404  401
POST   /api/projects/{project}/export/{job}/cancel                401  404  404  404  404  200  404  404  401
POST   /api/projects/{project}/export/{own}/cancel                401  404  200  200  200  200  404  404  401
POST   /api/projects/{other}/export/{own}/cancel                  401  404  404  404  404  404  404  404  401
GET    /api/projects/{project}/export/{job}/download              401  404  404  404  404  200  404  404  401
HEAD   /api/projects/{project}/export/{own}/download              401  404  403  200  200  200  404  404  401
GET    /api/projects/{project}/export/{own}/download              401  404  403  200  200  200  404  404  401
GET    /api/projects/{other}/export/{own}/download                401  404  404  404  404  404  404  404  401
POST   /api/projects/{project}/export/{job}/auto-download         401  404  404  404  404  200  404  404  401
POST   /api/projects/{project}/export/{own}/auto-download         401  404  403  200  200  200  404  404  401
POST   /api/projects/{other}/export/{own}/auto-download           401  404  404  404  404  404  404  404  401
POST   /api/projects/{project}/export/{job}/download-token        401  404  404  404  404  200  404  404  401
POST   /api/projects/{project}/export/{own}/download-token        401  404  403  200  200  200  404  404  401
POST   /api/projects/{other}/export/{own}/download-token          401  404  404  404  404  404  404  404  401
POST   /api/projects/{project}/export/{job}/retry                 401  404  404  404  404  202  404  404  401
POST   /api/projects/{project}/export/{own}/retry                 401  404  403  202  202  202  404  404  401
POST   /api/projects/{other}/export/{own}/retry                   401  404  404  404  404  404  404  404  401
GET    /api/projects/{project}/export/{job}/audit                 401  404  404  404  404  200  404  404  401
GET    /api/projects/{project}/export/{own}/audit                 401  404  200  200  200  200  404  404  401
GET    /api/projects/{other}/export/{own}/audit                   401  404  404  404  404  404  404  404  401
DELETE /api/projects/{project}/export/{job}                       401  404  404  404  404  204  404  404  401
DELETE /api/projects/{project}/export/{own}                       401  404  204  204  204  204  404  404  401
DELETE /api/projects/{other}/export/{own}                         401  404  404  404  404  404  404  404  401
GET    /api/projects/{project}/export/presets                     401  404  403  200  200  200  404  404  401
POST   /api/projects/{project}/export/presets                     401  404  403  201  201  201  404  404  401
PUT    /api/projects/{project}/export/presets/{preset}            401  404  403  404  404  200  404  404  401
PUT    /api/projects/{project}/export/presets/{own_preset}        401  404  403  200  200  200  404  404  401
PUT    /api/projects/{other}/export/presets/{preset}              401  404  404  404  404  404  404  404  401
DELETE /api/projects/{project}/export/presets/{preset}            401  404  403  404  404  204  404  404  401
DELETE /api/projects/{project}/export/presets/{own_preset}        401  404  403  204  204  204  404  404  401
DELETE /api/projects/{other}/export/presets/{preset}              401  404  404  404  404  404  404  404  401
GET    /api/preferences                                           401  200  200  200  200  200  200  200  401
PATCH  /api/preferences                                           401  200  200  200  200  200  200  200  401
GET    /api/exports/current                                       401  200  200  200  200  200  200  200  401
GET    /api/exports/current?scope=visible                         401  200  200  200  200  200  200  200  401
GET    /api/export/formats                                        401  200  200  200  200  200  200  200  401
POST   /api/ws-token                                              401  200  200  200  200  200  200  200  401
GET    /api/openapi.json                                          200  200  200  200  200  200  200  200  200
GET    /api/events.json                                           200  200  200  200  200  200  200  200  200
GET    /api/docs                                                  200  200  200  200  200  200  200  200  200
GET    /api/                                                      404  404  404  404  404  404  404  404  404
GET    /api/nothing                                               404  404  404  404  404  404  404  404  404
"""

PAGES = """
#                                                      anonymous stranger viewer exporter editor owner staff revoked inactive
GET    /                                                        login  200  200  200  200  200  200  200 login
GET    /projects/{project}/                                     login  404  200  200  200  200  404  404 login
GET    /projects/{other}/                                       login  404  404  404  404  200  404  404 login
GET    /projects/{project}/images/{image}/                      login  404  200  200  200  200  404  404 login
GET    /projects/{project}/images/{elsewhere}/                  login  404  404  404  404  404  404  404 login
GET    /projects/{project}/images/{image}/file                  login  404  200  200  200  200  404  404 login
GET    /projects/{project}/images/{elsewhere}/file              login  404  404  404  404  404  404  404 login
GET    /projects/{project}/images/{image}/thumbnail             login  404  200  200  200  200  404  404 login
GET    /projects/{project}/images/{elsewhere}/thumbnail         login  404  404  404  404  404  404  404 login
GET    /projects/{project}/images/{image}/outlines.svg          login  404  200  200  200  200  404  404 login
GET    /projects/{project}/images/{elsewhere}/outlines.svg      login  404  404  404  404  404  404  404 login
GET    /exports/                                                login  200  200  200  200  200  200  200 login
GET    /exports/{job}/card/                                     login  404  404  404  404  200  404  404 login
GET    /exports/{own}/card/                                     login  404  200  200  200  200  404  404 login
POST   /exports/{job}/cancel/                                   login  404  404  404  404  302  404  404 login
POST   /exports/{own}/cancel/                                   login  404  302  302  302  302  404  404 login
POST   /exports/{job}/retry/                                    login  404  404  404  404  302  404  404 login
POST   /exports/{own}/retry/                                    login  404  302  302  302  302  404  404 login
POST   /exports/{job}/delete/                                   login  404  404  404  404  302  404  404 login
POST   /exports/{own}/delete/                                   login  404  302  302  302  302  404  404 login
GET    /exports/settings/                                       login  200  200  200  200  200  200  200 login
POST   /exports/settings/                                       login  302  302  302  302  302  302  302 login
POST   /language/                                                 302  302  302  302  302  302  302  302  302
GET    /language/de.js                                            200  200  200  200  200  200  200  200  200
GET    /projects/{project}/export/                              login  404  200  200  200  200  404  404 login
POST   /projects/{project}/export/                              login  404  403  302  302  302  404  404 login
POST   /projects/{other}/export/                                login  404  404  404  404  302  404  404 login
GET    /projects/{project}/export/?like={job}                   login  404  200  404  404  200  404  404 login
GET    /projects/{project}/export/?like={own}                   login  404  200  200  200  200  404  404 login
GET    /projects/{project}/export/?preset={own_preset}          login  404  200  200  200  200  404  404 login
GET    /projects/{project}/export/fields/                       login  404  403  200  200  200  404  404 login
GET    /projects/{project}/export/preview/                      login  404  403  200  200  200  404  404 login
GET    /projects/{project}/export/preview/?image={image}        login  404  403  200  200  200  404  404 login
GET    /projects/{project}/export/preview/?image={elsewhere}    login  404  403  404  404  404  404  404 login
POST   /projects/{project}/export/presets/new/                  login  404  403  200  200  200  404  404 login
POST   /projects/{project}/export/presets/                      login  404  403  302  302  302  404  404 login
POST   /projects/{project}/export/presets/{preset}/delete/      login  404  403  404  404  302  404  404 login
POST   /projects/{project}/export/presets/{own_preset}/delete/  login  404  403  302  302  302  404  404 login
GET    /healthz                                                   200  200  200  200  200  200  200  200  200
GET    /readyz                                                    503  503  503  503  503  503  503  503  503
GET    /metrics                                                   200  200  200  200  200  200  200  200  200
GET    /accounts/login/                                           200  200  200  200  200  200  200  200  200
POST   /accounts/logout/                                        login login login login login login login login login
GET    /accounts/password_change/                               login  200  200  200  200  200  200  200 login
GET    /accounts/password_change/done/                          login  200  200  200  200  200  200  200 login
GET    /accounts/password_reset/                                  200  200  200  200  200  200  200  200  200
GET    /accounts/password_reset/done/                             200  200  200  200  200  200  200  200  200
GET    /accounts/reset/MQ/x/                                      200  200  200  200  200  200  200  200  200
GET    /accounts/reset/done/                                      200  200  200  200  200  200  200  200  200
GET    /accounts/keys/                                          login  200  200  200  200  200  200  200 login
POST   /accounts/keys/                                          login  200  200  200  200  200  200  200 login
GET    /accounts/keys/{api_key}/revoke/                         login  404  404  404  404  200  404  404 login
POST   /accounts/keys/{api_key}/revoke/                         login  404  404  404  404  302  404  404 login
GET    /accounts/keys/{own_api_key}/revoke/                     login  200  200  200  200  200  200  200 login
POST   /accounts/keys/{own_api_key}/revoke/                     login  302  302  302  302  302  302  302 login
GET    /.well-known/security.txt                                 404  404  404  404  404  404  404  404  404
GET    /nothing                                                   404  404  404  404  404  404  404  404  404
"""


class Line(NamedTuple):
    method: str
    template: str
    expected: dict[str, str]
    """By visitor."""


def lines(text: str) -> list[Line]:
    found = [each.split() for each in text.strip().splitlines() if not each.startswith("#")]
    return [Line(method, path, dict(zip(VISITORS, rest, strict=True))) for method, path, *rest in found]
