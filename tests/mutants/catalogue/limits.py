"""G20, G21 and G25 to G28: limits, one job a request, no waiting, no side effects, one moment, one clock."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MOVES = "tests/exports/test_lifecycle.py"
MORE = "tests/races/test_more_promises.py"
RACES = "tests/races/test_export_races.py"
SNAPSHOT = "tests/exports/test_snapshot.py"

USERS_LOCK = "User.objects.select_for_update(no_key=True).get(pk=wanted.user_id)"

LIMITS = (
    Mutant(
        guarantee="G20",
        what="the count of active exports",
        file="exports/lifecycle.py",
        old="if mine.count() >= settings.EXPORT_MAX_ACTIVE_PER_USER:",
        new="if False:",
        tests=(f"{MOVES}::test_nobody_has_more_active_exports_than_allowed",),
    ),
    Mutant(
        guarantee="G20",
        what="the lock of the user's row",
        file="exports/lifecycle.py",
        old=USERS_LOCK,
        new="pass",
        tests=(f"{RACES}::test_parallel_requests_stay_within_the_limit",),
    ),
    Mutant(
        guarantee="G21",
        what="the search for an equal request",
        file="exports/lifecycle.py",
        old="earlier = intake.same_request(wanted)",
        new="earlier = None",
        tests=(
            f"{MOVES}::test_the_same_options_while_active_give_the_same_job",
            f"{MOVES}::test_the_same_key_gives_the_same_job_for_ever",
        ),
    ),
    Mutant(
        guarantee="G21",
        what="the lock of the user's row",
        file="exports/lifecycle.py",
        old=USERS_LOCK,
        new="pass",
        tests=(
            f"{RACES}::test_parallel_requests_of_one_key_make_one_job",
            f"{RACES}::test_parallel_requests_of_the_same_options_make_one_job",
        ),
    ),
    Mutant(
        guarantee="G21",
        what="the database's refusal of a second active export of a kind",
        file="exports/migrations/0001_initial.py",
        old="fields=('user', 'project', 'options_digest'), name",
        new="fields=('user', 'project', 'options_digest', 'id'), name",
        tests=(
            f"{MORE}::test_the_database_refuses_a_second_export_where_there_is_to_be_one"
            "[export_one_active_of_a_kind]",
        ),
    ),
    Mutant(
        guarantee="G21",
        what="the database's refusal of a second use of a key",
        file="exports/migrations/0001_initial.py",
        old="fields=('user', 'idempotency_key'), name",
        new="fields=('user', 'idempotency_key', 'id'), name",
        tests=(
            f"{MORE}::test_the_database_refuses_a_second_export_where_there_is_to_be_one"
            "[export_idempotency_key_once]",
        ),
    ),
    Mutant(
        guarantee="G25",
        what="an end to waiting for a lock",
        file="config/settings.py",
        old='"lock_timeout": "2s"',
        new='"lock_timeout": "0"',
        tests=(f"{RACES}::test_a_cancel_that_cannot_get_the_lock_promises_nothing",),
    ),
    Mutant(
        guarantee="G25",
        what="the end of transactions that hang",
        file="config/settings.py",
        old='"idle_in_transaction_session_timeout": "15s"',
        new='"idle_in_transaction_session_timeout": "0"',
        tests=(
            "tests/faults/test_lost_commits.py"
            "::test_a_web_server_that_hangs_before_its_commit_blocks_others_for_15_seconds_at_most",
        ),
    ),
    Mutant(
        guarantee="G25",
        what="a lock that lets rows be added that point to its own",
        file="exports/rows.py",
        old=".select_for_update(no_key=True)",
        new=".select_for_update()",
        tests=(f"{MORE}::test_who_tries_again_does_not_wait_for_the_first_export",),
    ),
    Mutant(
        guarantee="G26",
        what="admin pages that only show",
        file="exports/admin/jobs.py",
        old="class ExportJobAdmin(ReadOnly, admin.ModelAdmin[ExportJob]):",
        new="class ExportJobAdmin(admin.ModelAdmin[ExportJob]):",
        tests=("tests/exports/test_admin.py::test_nothing_can_be_changed_added_or_deleted",),
    ),
    Mutant(
        guarantee="G26",
        what="the number of an administrator's order",
        file="exports/admin/acting.py",
        old="number = forms.UUIDField(widget=forms.HiddenInput)",
        new="number = forms.UUIDField(widget=forms.HiddenInput, required=False)",
        tests=(
            "tests/exports/test_looking.py::test_whatever_is_sent_to_the_admin_changes_no_export[completed]",
        ),
    ),
    Mutant(
        guarantee="G26",
        what="transactions of /metrics that cannot write",
        file="exports/metrics.py",
        old="SET TRANSACTION READ ONLY; ",
        new="",
        tests=("tests/exports/test_metrics.py::test_reading_cannot_write",),
    ),
    Mutant(
        guarantee="G26",
        what="the refusal to act on a request that only looks",
        file="exports/views.py",
        old="@require_POST\n@login_required\n@_explained\ndef cancel(",
        new="@login_required\n@_explained\ndef cancel(",
        tests=("tests/exports/test_views.py::test_looking_changes_nothing[cancel]",),
    ),
    Mutant(
        guarantee="G26",
        what="ringing again after what was done to RQ's queue",
        file="exports/sweep.py",
        old="forgotten=_ring_again(jobs.forgotten(RING_AGAIN_AFTER)),",
        new="forgotten=0,",
        tests=("tests/exports/test_looking.py::test_what_is_done_to_the_queue_loses_nothing",),
    ),
    Mutant(
        guarantee="G27",
        what="the list of outlines that the claim made",
        file="exports/snapshot.py",
        old="row, version = images.get(image_id), versions.get(segmentation_id)",
        new="row = images.get(image_id)\n            version = row and row.segmentation",
        tests=(f"{SNAPSHOT}::test_a_change_after_the_claim_is_not_seen",),
    ),
    Mutant(
        guarantee="G27",
        what="images that stay for the exports that list them",
        file="exports/snapshot.py",
        old="Image.objects.in_bulk(",
        new="Image.objects.present().in_bulk(",
        tests=(f"{SNAPSHOT}::test_a_removed_image_stays_in_a_running_export",),
    ),
    Mutant(
        guarantee="G27",
        what="outlines that never change",
        file="projects/migrations/0001_initial.py",
        old="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;\", hash='5a436a",
        new="RETURN NEW;\", hash='5a436a",
        tests=("tests/projects/test_models.py::test_the_database_refuses_to_change_outlines",),
    ),
    Mutant(
        guarantee="G28",
        what="the database's clock for each move",
        file="exports/rows.py",
        old="""    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0])
""",
        new="""    from django.utils import timezone

    return timezone.now()
""",
        tests=(f"{MOVES}::test_times_are_the_databases",),
    ),
    Mutant(
        guarantee="G28",
        what="the database's clock for what is past its time",
        file="exports/models/jobs.py",
        old="status=Status.COMPLETED, expires_at__lt=Now())",
        new="status=Status.COMPLETED, expires_at__lt=__import__('django').utils.timezone.now())",
        tests=("tests/faults/test_clocks.py::test_exports_complete_undisturbed[fast]",),
    ),
    Mutant(
        guarantee="G28",
        what="the database's clock for who was silent for too long",
        file="exports/models/jobs.py",
        old="heartbeat_at__lt=Now() - after)",
        new="heartbeat_at__lt=__import__('django').utils.timezone.now() - after)",
        tests=("tests/faults/test_clocks.py::test_an_abandoned_export_is_taken_back[slow]",),
    ),
)
