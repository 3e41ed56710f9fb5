"""
Bitbucket Data Center, spoken to with an HTTP access token that a person stored.

`url` is `https://HOST/projects/KEY/repos/NAME`, `https://HOST/users/NAME/repos/NAME` or
what Git clones, with the path before it below which the installation is.
"""

from __future__ import annotations

from windlass.forges.bitbucket_dc.hooks import DataCenterWebhooks
from windlass.forges.bitbucket_dc.reports import DataCenterReports
from windlass.forges.bitbucket_dc.source import DataCenterSource


class BitbucketDataCenterForge(DataCenterWebhooks, DataCenterReports, DataCenterSource):
    """`Webhooks`, `Reports` and `Source` of Bitbucket Data Center."""
