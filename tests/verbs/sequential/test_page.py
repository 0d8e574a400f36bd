"""The part of the report about campaigns shows what they came to."""

from renp_infer.verbs.sequential.page import campaign_rows
from renp_infer.verbs.sequential.result import CampaignsAbout
from renp_infer.verbs.sequential.summary import AtTruth, CampaignSummary, Medians, SequenceMedians


def test_a_layout_without_room_for_its_moves_has_no_numbers() -> None:
    blank = Medians(None, None, None)
    full = SequenceMedians(1.5, 2.0, 0.7, measurements=9.0, elapsed_s=95.0, pulls=(0.1,))
    truth = AtTruth(50.0, full, {"study": blank, "fixed": blank})
    about = CampaignsAbout(
        name="toy",
        goal="m1",
        setting_s=5.0,
        total_s=100.0,
        truth="normal dirac",
        angles={"study": 61, "fixed": 0},
        missing=1,
        preset="corrected",
        reference_snr=100.0,
        reference="somewhere",
    )
    assert CampaignsAbout.of(about.to_attributes()) == about
    assert campaign_rows(CampaignSummary(about, 3, (truth,))) == [
        ("50", "sequence", "1.5", "2", "0.7", "9"),
        ("50", "own layout", "–", "–", "–", "61"),
    ]
