"""The site on this machine and the site on AWS keep browsers to the same rules."""

from pawcast_ops.local.site import SECURITY_HEADERS
from tests.support.template import Template


def test_the_local_site_sends_the_security_headers_of_cloudfront(template: Template) -> None:
    config = template["Resources"]["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    sent = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]} | {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff",
    }
    elsewhere = (  # on this machine these have the site's own origin
        " https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}",
        " https://${PublishedBucket.RegionalDomainName}",
        " https://${UploadsBucket.RegionalDomainName}",
    )
    here = dict(sent)
    for address in elsewhere:
        assert address in here["Content-Security-Policy"]
        here["Content-Security-Policy"] = here["Content-Security-Policy"].replace(address, "")

    assert "ContentTypeOptions" in security
    assert dict(SECURITY_HEADERS) == here


def test_pages_of_the_site_bring_no_script_or_style_of_their_own() -> None:
    from pawcast_ops.site import WEB

    pages = {path.name: path.read_text(encoding="utf-8") for path in WEB.rglob("*.html")}

    assert pages
    for name, html in pages.items():
        assert "script-src 'self'; style-src 'self'" in html, name
        assert not [part for part in html.split("<script")[1:] if " src=" not in part.partition(">")[0]], name
        assert "<style" not in html, name
        assert " style=" not in html, name
