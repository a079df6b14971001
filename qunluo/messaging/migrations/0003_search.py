from django.db import migrations

from qunluo.members.fulltext import operations
from qunluo.messaging.queries import MESSAGES


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0002_outbox_and_inbox_remember_more"),
        ("members", "0003_search"),
    ]

    operations = operations(MESSAGES)
