"""The lists of the on-call procedure, point by point: what each duty asks of whoever does it. Pure.

The sentences are the procedure's. Points are numbered from 1 in the order of their list; a list that grows grows at its
end, since what was ticked is kept by number.
"""

from collections.abc import Mapping
from types import MappingProxyType

from desktop.domain.duty import Kind

# "Daily Duties", 1.
_CHECK_IN = (
    "Review overnight alerts and incidents",
    "Check system health dashboards",
    "Verify backup completion",
    "Review pending security updates",
)
# "Daily Duties", 2.
_MONITORING = (
    "Monitor alerting systems for new issues",
    "Review error rates and performance metrics",
    "Check database replication status",
    "Verify backup integrity",
)
# "External Communication".
_STATUS_PAGE = (
    "Update the status page",
    "For a widespread outage, post on social media too",
)
_CUSTOMER_NOTICE = ("Notify the customers",)
# "Internal Communication".
_STATUS_UPDATE = ("Post a status update in the incident channel",)
# "Quality Metrics", and the "Alert Response" that such a review looks back on.
_INCIDENT_REVIEW = ("Complete the post-incident review",)
# "Handover Checklist".
_HANDOVER = (
    "Review current system status and any open incidents",
    "Transfer knowledge of ongoing issues or scheduled maintenance",
    "Confirm contact information and availability",
    "Review any upcoming deployments or changes",
    "Document any known issues or areas of concern",
    "Confirm monitoring alerts are properly configured",
)
# "Monthly Reviews", then "Feedback Collection" and "Review Frequency: Monthly" of the procedure itself.
_MONTHLY_REVIEW = (
    "Incident analysis: review all incidents for patterns and improvements",
    "Process updates: update runbooks based on lessons learned",
    "Tool improvements: identify and implement better monitoring and alerting",
    "Training updates: refresh training materials and procedures",
    "Feedback: surveys, retrospective meetings, the suggestion box, industry benchmarks",
    "Review the on-call procedure itself",
)
# "On-Call Training Requirements".
_TRAINING = (
    "Complete incident response runbook training",
    "Shadow experienced on-call engineer for one rotation",
    "Pass hands-on incident simulation exercises",
    "Demonstrate familiarity with all monitoring tools",
    "Complete infrastructure access training",
)
# "Certification Checklist".
_CERTIFICATION = (
    "Can access all required systems and tools",
    "Knows escalation procedures and contact information",
    "Familiar with incident response runbook",
    "Understands monitoring dashboards and alerts",
    "Has practiced incident response scenarios",
)

POINTS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.CHECK_IN: _CHECK_IN,
        Kind.MONITORING: _MONITORING,
        Kind.STATUS_PAGE: _STATUS_PAGE,
        Kind.CUSTOMER_NOTICE: _CUSTOMER_NOTICE,
        Kind.STATUS_UPDATE: _STATUS_UPDATE,
        Kind.INCIDENT_REVIEW: _INCIDENT_REVIEW,
        Kind.HANDOVER: _HANDOVER,
        Kind.MONTHLY_REVIEW: _MONTHLY_REVIEW,
        Kind.TRAINING: _TRAINING,
        Kind.CERTIFICATION: _CERTIFICATION,
    }
)
