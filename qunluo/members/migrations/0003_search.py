from django.db import migrations

from qunluo.members.fulltext import MEMBERS, operations


class Migration(migrations.Migration):

    dependencies = [("members", "0002_accounts_and_claims")]

    operations = operations(MEMBERS)
