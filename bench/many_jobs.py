"""A table of very many exports with their audit, filled by SQL: `python -m bench.many_jobs 1000000 --days 400`.

The oldest is `--days` old, the newest of this minute. Some wait or are under way, some of these lost their worker, some
cancelled ones were not cleaned. It goes into the database of the environment: never into one that is in use.
"""

from __future__ import annotations

import argparse
import os

import django
from django.db import connection

_USERS = """
    INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
        date_joined)
    SELECT '!', false, 'person-' || n, '', '', 'person-' || n || '@example.org', false, true, now()
    FROM generate_series(1, %(users)s) AS n
    ON CONFLICT (username) DO NOTHING
"""

_PROJECTS = """
    INSERT INTO projects_project (id, name, description, owner_id, created_at)
    SELECT md5('project-' || n)::uuid, 'Plate ' || n || ' ' || (ARRAY['nuclei', 'neurons', 'yeast'])[1 + n %% 3], '',
        person.id, now() - %(days)s * interval '1 day'
    FROM generate_series(1, %(projects)s) AS n
    JOIN auth_user AS person ON person.username = 'person-' || (1 + n * 7 %% %(users)s)
    ON CONFLICT (id) DO NOTHING
"""

# From the newest to the oldest; `dice` is even over 0..999 and the same in every run.
_JOBS = """
    WITH numbered AS (
        SELECT n, now() - (n - 1) * %(days)s * interval '1 day' / %(jobs)s AS created,
            ('x' || substr(md5(n::text), 1, 7))::bit(28)::int %% 1000 AS dice
        FROM generate_series(1, %(jobs)s) AS n
    ), decided AS (
        SELECT *, CASE
            WHEN n <= least(200, %(jobs)s / 10) THEN 'pending'
            WHEN n <= least(250, %(jobs)s / 8) THEN 'processing'
            WHEN n <= least(270, %(jobs)s / 7) OR dice < 180 THEN 'cancelled'
            WHEN dice < 280 THEN 'failed'
            WHEN created > now() - interval '7 days' THEN 'completed'
            ELSE 'expired' END AS status,
            n > least(250, %(jobs)s / 8) AND n <= least(270, %(jobs)s / 7) AS is_stuck,
            1 + dice * dice / 2000 AS images,
            1 + (CASE WHEN n <= 250 THEN n ELSE dice * n / 7 END) %% %(users)s AS person,
            1 + n::bigint * 31 %% %(projects)s AS project
        FROM numbered
    ), timed AS (
        SELECT *, least(created + interval '5 seconds', now()) AS started,
            least(created + interval '6 seconds' + images * interval '90 milliseconds', now()) AS ended
        FROM decided
    )
    INSERT INTO exports_exportjob (id, project_id, project_name, user_id, retry_of_id, options, options_digest,
        request_digest, status, version, sequence, attempt, losses, dispatch, rung_at, heartbeat_at, progress, stage,
        stage_done, stage_total, message, warnings, image_count, file_name, file_size, sha256, download_count,
        auto_download_claimed, cancel_reason, error, error_code, retryable, bytes_freed, created_at, changed_at,
        started_at, completed_at, expires_at, failed_at, cancelled_at, expired_at, cleaned_at)
    SELECT md5('job-' || n)::uuid, place.id, place.name, who.id,
        CASE WHEN n %% 50 = 0 AND n + 7 <= %(jobs)s THEN md5('job-' || n + 7)::uuid END,
        '{"annotationFormats": ["coco"], "metricsFormats": ["csv"]}', md5(n::text), md5(n::text), status,
        CASE status WHEN 'pending' THEN 1 ELSE 25 END,
        CASE status WHEN 'pending' THEN 1 WHEN 'processing' THEN 2 WHEN 'completed' THEN 3 WHEN 'expired' THEN 5
            ELSE 4 - is_stuck::int END,
        (status <> 'pending')::int, 0, 1,
        CASE WHEN n %% 20 > 0 THEN created END,
        CASE status WHEN 'processing' THEN now() - (n %% 2) * interval '10 minutes' END,
        CASE status WHEN 'pending' THEN 0 WHEN 'completed' THEN 100 WHEN 'expired' THEN 100 ELSE dice / 10 END,
        CASE status WHEN 'pending' THEN '' WHEN 'processing' THEN 'images' ELSE 'done' END,
        CASE status WHEN 'pending' THEN 0 ELSE images END, CASE status WHEN 'pending' THEN 0 ELSE images END, '', '[]',
        images,
        CASE status WHEN 'completed' THEN md5('job-' || n)::uuid || '-1.zip' END,
        CASE status WHEN 'completed' THEN images * 2500000 END,
        CASE status WHEN 'completed' THEN md5(n::text) || md5(n::text) END,
        CASE WHEN status IN ('completed', 'expired') THEN dice %% 3 ELSE 0 END, false,
        CASE status WHEN 'cancelled' THEN (ARRAY['user_cancelled', 'user_cancelled', 'timeout', 'system_cancelled'])[1 + dice %% 4] END,
        CASE status WHEN 'failed' THEN 'The archive could not be built.' END,
        CASE status WHEN 'failed' THEN (ARRAY['build_failed', 'worker_lost', 'insufficient_storage'])[1 + dice %% 3] END,
        CASE status WHEN 'failed' THEN true END,
        CASE WHEN status IN ('failed', 'cancelled', 'expired') AND NOT is_stuck THEN images * 2500000 END,
        created, ended,
        CASE WHEN status <> 'pending' THEN started END,
        CASE WHEN status IN ('completed', 'expired') THEN ended END,
        CASE status WHEN 'completed' THEN created + interval '7 days 1 hour' END,
        CASE status WHEN 'failed' THEN ended END, CASE status WHEN 'cancelled' THEN ended END,
        CASE status WHEN 'expired' THEN ended + interval '7 days' END,
        CASE WHEN status IN ('failed', 'cancelled', 'expired') AND NOT is_stuck THEN ended END
    FROM timed
    JOIN auth_user AS who ON who.username = 'person-' || person
    JOIN projects_project AS place ON place.id = md5('project-' || project)::uuid
"""

_AUDIT = """
    INSERT INTO exports_transition (job_id, sequence, from_status, to_status, reason, actor, attempt, at, detail)
    SELECT job.id, move.sequence, move.source, move.target, move.reason, move.actor, least(move.sequence - 1, 1), move.at,
        jsonb_build_object('version', CASE move.sequence WHEN 1 THEN 1 ELSE 20 + move.sequence END)
    FROM exports_exportjob AS job CROSS JOIN LATERAL (VALUES
        (1, '', 'pending', 'requested', 'user:' || job.user_id, job.created_at),
        (2, 'pending', 'processing', 'claimed', 'worker', job.started_at),
        (3, 'processing', CASE job.status WHEN 'expired' THEN 'completed' ELSE job.status END,
            CASE job.status WHEN 'failed' THEN job.error_code WHEN 'cancelled' THEN job.cancel_reason ELSE 'built' END,
            CASE job.cancel_reason WHEN 'user_cancelled' THEN 'user:' || job.user_id WHEN 'timeout' THEN 'scheduler'
                ELSE 'worker' END, job.changed_at),
        (4, CASE job.status WHEN 'expired' THEN 'completed' ELSE job.status END, job.status,
            CASE job.status WHEN 'expired' THEN 'retention' ELSE 'cleaned' END,
            CASE job.status WHEN 'expired' THEN 'scheduler' ELSE 'system' END, coalesce(job.expired_at, job.changed_at)),
        (5, job.status, job.status, 'cleaned', 'system', job.expired_at)
    ) AS move (sequence, source, target, reason, actor, at)
    WHERE move.sequence <= job.sequence AND job.request_digest = job.options_digest
"""

_SNAPSHOTS = """
    INSERT INTO exports_snapshot (job_id, attempt, taken_at, image_ids, segmentation_ids, names, pixel_sizes)
    SELECT id, attempt, started_at, ARRAY[id], ARRAY[NULL::uuid], ARRAY['a.png'], ARRAY[0.5::float8]
    FROM exports_exportjob WHERE attempt > 0 ORDER BY created_at DESC LIMIT 10000
    ON CONFLICT DO NOTHING
"""

_TABLES = ("auth_user", "projects_project", "exports_exportjob", "exports_transition", "exports_snapshot")


def fill(jobs: int, *, days: int = 400, users: int = 10_000, projects: int = 2_000) -> None:
    """Add `jobs` exports to a database that has none. The role must be a superuser: triggers are kept out."""
    amounts = {"jobs": jobs, "days": days, "users": users, "projects": projects}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            for statement in (_USERS, _PROJECTS, _JOBS, _AUDIT, _SNAPSHOTS):
                cursor.execute(statement, amounts)
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
        for table in _TABLES:
            cursor.execute(f"ANALYZE {table}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.many_jobs", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("jobs", type=int)
    parser.add_argument("--days", type=int, default=400, help="the age of the oldest (400)")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--projects", type=int, default=2_000)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    fill(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
