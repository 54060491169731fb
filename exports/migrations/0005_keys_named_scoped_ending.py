import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat


def name_those_there_are(apps, schema_editor):
    """Names differ within a user: their numbers do."""
    numbered = Concat(Value("Key "), Cast(F("pk"), models.CharField()))
    apps.get_model("exports", "ApiToken").objects.filter(name="").update(name=numbered)


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0004_presets_preferences_letters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apitoken",
            options={"verbose_name": "API key"},
        ),
        migrations.AddField(
            model_name="apitoken",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="hint",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="name",
            field=models.CharField(default="", max_length=80),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="apitoken",
            name="revoked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[("read", "read"), ("export", "export")], default="export", max_length=10
            ),
            preserve_default=False,
        ),
        migrations.RunPython(name_those_there_are, migrations.RunPython.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="apitoken",
            trigger=pgtrigger.compiler.Trigger(
                name="key_stays_revoked",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN\n                        RAISE EXCEPTION 'key %: what was revoked stays revoked', OLD.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'key_stays_revoked';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="2dab90bdb4846f5671066b5094a76769c07b7984",
                    operation="UPDATE",
                    pgid="pgtrigger_key_stays_revoked_9d34c",
                    table="exports_apitoken",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="key_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ["read", "export"])), name="key_scope_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.UniqueConstraint(
                models.F("user"),
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("revoked_at__isnull", True)),
                name="key_name_once",
            ),
        ),
    ]
