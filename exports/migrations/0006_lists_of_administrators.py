from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# Work goes on meanwhile. A table of millions takes longer than a page may.
PATIENCE = "SET statement_timeout = 0; SET lock_timeout = 0"
AS_BEFORE = "RESET statement_timeout; RESET lock_timeout"

INDEXES = [
    models.Index(name="export_newest", fields=["-created_at", "-id"]),
    models.Index(name="export_of_status", fields=["status", "-created_at", "-id"]),
    models.Index(
        name="export_of_cancel_reason",
        fields=["cancel_reason", "-created_at", "-id"],
        condition=models.Q(cancel_reason__isnull=False),
    ),
    models.Index(
        name="export_of_error",
        fields=["error_code", "-created_at", "-id"],
        condition=models.Q(error_code__isnull=False),
    ),
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("exports", "0005_keys_named_scoped_ending")]

    operations = [
        migrations.AlterModelOptions(
            name="exportjob",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("cancel_exportjob", "Can cancel exports of others"),
                    ("retry_exportjob", "Can try exports of others again"),
                    ("expire_exportjob", "Can delete the files of exports of others"),
                    ("clean_exportjob", "Can clean up after exports of others"),
                ],
            },
        ),
        migrations.RunSQL(PATIENCE, AS_BEFORE),
        *[AddIndexConcurrently("exportjob", index) for index in INDEXES],
        migrations.RunSQL(AS_BEFORE, PATIENCE),
    ]
