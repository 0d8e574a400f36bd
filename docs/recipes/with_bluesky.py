"""A bluesky plan whose angles and exposures a campaign chooses, one after the other."""

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp


def campaign_plan(campaign, trigger, exposure, field, error):
    """Measure what is suggested until nothing is.

    Parameters
    ----------
    campaign : renp_infer.Campaign
    trigger, exposure : settable devices
        Trigger angle, deg, and time of one measurement, s.
    field, error : readable devices
        Field at the SQUID and its standard error, nG.
    """

    @bpp.run_decorator(md={"renp": str(campaign.directory)})
    def plan():
        while settings := campaign.suggest():
            for setting in settings:
                yield from bps.mv(trigger, setting.theta_s_deg, exposure, setting.exposure_s)
                read = yield from bps.trigger_and_read([trigger, field, error])
                point = {
                    "theta_s_deg": read[trigger.name]["value"],
                    "field_nG": read[field.name]["value"],
                    "error_nG": read[error.name]["value"],
                    "exposure_s": setting.exposure_s,
                }
                campaign.ingest([point])

    yield from plan()
