"""Addresses of the pages of campaigns and of the ledger."""

from __future__ import annotations

from django.urls import path

from qunluo.console.campaigns import disputes, ledger, lists, one, review, tree, wizard

app_name = "campaigns"
_ONE = "campaigns/<int:campaign_id>"
_FORM = "campaigns/form/<slug:mechanic>"
_DOUBT = "campaigns/doubts/<int:suspicion_id>"
urlpatterns = [
    path("campaigns/", lists.campaigns, name="all"),
    path("campaigns/new", wizard.choose, name="choose"),
    path("campaigns/new/<slug:mechanic>", wizard.new, name="new"),
    path(f"{_FORM}/editor", wizard.editor, name="editor"),
    path(f"{_FORM}/panel", wizard.panel, name="panel"),
    path(_ONE, one.campaign, name="one"),
    path(f"{_ONE}/edit", wizard.edit, name="edit"),
    path(f"{_ONE}/publish", wizard.publish, name="publish"),
    path(f"{_ONE}/live", one.live, name="live"),
    path(f"{_ONE}/plays", one.plays, name="plays"),
    path(f"{_ONE}/plays/<int:play_id>", one.play, name="play"),
    path(f"{_ONE}/draws", one.draws, name="draws"),
    path(f"{_ONE}/packet", one.packet, name="packet"),
    path(f"{_ONE}/pause", one.pause, name="pause"),
    path(f"{_ONE}/resume", one.resume, name="resume"),
    path(f"{_ONE}/stopping", one.stopping, name="stopping"),
    path(f"{_ONE}/stop", one.stop, name="stop"),
    path(f"{_ONE}/take-back", one.take_back, name="take_back"),
    path("campaigns/invites", tree.tree, name="tree"),
    path("campaigns/invites/<int:member_id>", tree.branch, name="branch"),
    path("campaigns/doubts", review.doubts, name="doubts"),
    path(f"{_DOUBT}/decide", review.decide, name="decide_doubt"),
    path(f"{_DOUBT}/appeal", review.answer, name="answer_appeal"),
    path("campaigns/disputes", disputes.disputes, name="disputes"),
    path("campaigns/disputes/<int:play_id>/decide", disputes.decide, name="decide_dispute"),
    path("ledger", ledger.accounts, name="accounts"),
    path("ledger/accounts/<int:account_id>", ledger.statement, name="statement"),
    path("ledger/transfers/<int:transfer_id>", ledger.transfer, name="transfer"),
    path("ledger/audit", ledger.audit, name="audit"),
]
