"""
Azure DevOps as a forge: Services (`dev.azure.com`) and Server (from 2022, update 1).

`url` is the address of the repository's page or clone, see `place`. Every call is made
with the personal access token that people stored for that address.
"""

from __future__ import annotations

from windlass.forges.azure.hooks import AzureWebhooks
from windlass.forges.azure.reports import AzureReports
from windlass.forges.azure.source import AzureSource
from windlass.forges.http.client import Http, Tokens


class AzureForge(AzureWebhooks, AzureReports, AzureSource):
    """`Webhooks`, `Reports` and `Source` of Azure DevOps."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        super().__init__(http, tokens)
