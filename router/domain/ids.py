"""The names of things: identifiers as distinct types, so that one cannot be passed for another."""

from typing import NewType

AccountName = NewType("AccountName", str)
AgentId = NewType("AgentId", str)
CaseId = NewType("CaseId", str)
ChannelName = NewType("ChannelName", str)
ContactId = NewType("ContactId", str)
ConversationId = NewType("ConversationId", str)
InteractionId = NewType("InteractionId", str)
OutboxId = NewType("OutboxId", str)
QueueName = NewType("QueueName", str)
ReservationId = NewType("ReservationId", str)
Skill = NewType("Skill", str)
ArticleId = NewType("ArticleId", str)
PublicationId = NewType("PublicationId", str)
ProductId = NewType("ProductId", str)
ScriptId = NewType("ScriptId", str)
TrialId = NewType("TrialId", str)
MediaId = NewType("MediaId", str)
