"""The page to print of a certificate."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from batchocr.review.certificate.certificate import Certificate


def statement(c: Certificate) -> str:
    """Return what a certificate states, in a sentence."""
    where = "; ".join(filter(None, (c.form and f"form {c.form}", c.about)))
    return (
        f"Of the {c.of}s accepted at {c.threshold:g} at most {c.max_error * 100:g}% are wrong, "
        f"with {c.certainty * 100:g}% certainty; "
        f"{c.accepted:.1%} are accepted; {c.reviewed:,} reviewed on {c.pages:,} pages{'; ' + where if where else ''}."
    )


def reviewer_note(c: Certificate) -> str:
    """Return what is known of the reviewer's own errors, in a sentence."""
    known = c.reviewer
    if not known.planted:
        return "No errors were planted. The statement assumes that the reviewer found every error."
    return (
        f"The reviewer found {known.found} of {known.planted} planted errors. Up to {known.miss_bound:.1%} of errors "
        "may have been missed; the statement takes this into account."
    )


def certificate_page(certificate: Certificate) -> str:
    """Return the page as HTML, with nothing loaded from elsewhere."""
    environment = Environment(
        loader=PackageLoader("batchocr.review.certificate"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("certificate.html").render(
        c=certificate, statement=statement(certificate), reviewer=reviewer_note(certificate)
    )
