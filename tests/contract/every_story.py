"""All stories, and how many calls they hold."""

from tests.contract.story_5 import STORY as UPGRADES
from tests.contract.story_6 import STORY as DEFAULTS
from tests.contract.story_7 import STORY as FINALITY
from tests.contract.story_8 import STORY as TWO_MINERS
from tests.contract.story_123 import STORY as ONE_CHAIN

STORIES = (ONE_CHAIN, UPGRADES, DEFAULTS, FINALITY, TWO_MINERS)
RECORDED_CALLS = 1239
