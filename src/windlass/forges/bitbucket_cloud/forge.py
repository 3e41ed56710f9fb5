"""
Bitbucket Cloud, spoken to with a token that a person stored.

`url` is `https://bitbucket.org/WORKSPACE/REPOSITORY`. The token is an access token of the
repository, project or workspace, or `EMAIL:API-TOKEN` of an account.
"""

from __future__ import annotations

from windlass.forges.bitbucket_cloud.hooks import CloudWebhooks
from windlass.forges.bitbucket_cloud.reports import CloudReports
from windlass.forges.bitbucket_cloud.source import CloudSource


class BitbucketCloudForge(CloudWebhooks, CloudReports, CloudSource):
    """`Webhooks`, `Reports` and `Source` of Bitbucket Cloud."""
