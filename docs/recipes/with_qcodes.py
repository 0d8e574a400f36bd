"""A QCoDeS measurement whose angles and exposures a campaign chooses, one after the other."""

from qcodes.dataset import Measurement


def measure(campaign, trigger, exposure, field, error):
    """Measure what is suggested until nothing is; gives the data set.

    Parameters
    ----------
    campaign : renp_infer.Campaign
    trigger, exposure : qcodes.parameters.Parameter
        Trigger angle, deg, and time of one measurement, s.
    field, error : qcodes.parameters.Parameter
        Field at the SQUID and its standard error, nG.
    """
    measurement = Measurement(name=str(campaign.directory))
    for setpoint in (trigger, exposure):
        measurement.register_parameter(setpoint)
    for result in (field, error):
        measurement.register_parameter(result, setpoints=(trigger, exposure))
    with measurement.run() as saver:
        while settings := campaign.suggest():
            for setting in settings:
                trigger(setting.theta_s_deg)
                exposure(setting.exposure_s)
                read = {p: p() for p in (trigger, exposure, field, error)}
                saver.add_result(*read.items())
                columns = ("theta_s_deg", "exposure_s", "field_nG", "error_nG")
                campaign.ingest([dict(zip(columns, read.values(), strict=True))])
        return saver.dataset
