"""Which concept the regions that a unit fires in cover: the overlap of its maps with masks (Network Dissection).

Bau, Zhou, Khosla, Oliva and Torralba, 2017, https://arxiv.org/abs/1704.05796.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .hooks import maps

BELOW = 1e-4  # of a unit's range
SHARE = 0.005  # of all positions of all images, in which a unit counts as firing: Bau et al., section 2.2


@dataclass(frozen=True)
class Overlaps:
    """Of units with concepts: intersection over union, and its standard error, (units, concepts), float64.

    sizes: (units,), pixels in which a unit fires. maxima: (images, units), of its maps.
    """

    overlaps: Tensor
    errors: Tensor
    sizes: Tensor
    maxima: Tensor


@torch.inference_mode()
def thresholds(outputs: Iterable[Tensor], images: int, share: float = SHARE) -> Tensor:
    """The activation that each unit exceeds at this share of positions, (units,).

    outputs: of one layer, batch by batch, of so many `images` in all. No more than the highest are held in memory. A
    unit that is at its maximum at more positions, as after a ReLU6, fires at these; one that never changes, nowhere.
    """
    highest, lowest = torch.empty(0, 0), torch.tensor(torch.inf)
    for output in outputs:
        found = maps(output).float().cpu().transpose(0, 1).flatten(1)  # (units, batch × positions)
        if not highest.numel():
            beyond = int(share * images * found.shape[1] / len(output)) + 1  # the last of these is the threshold
            highest = found[:, :0]
        together = torch.cat([highest, found], 1)
        highest = together.topk(min(beyond, together.shape[1]), 1).values
        lowest = torch.minimum(lowest, found.amin(1))
    found = highest[:, -1]
    # Below the maximum by a little, for that is what interpolation leaves of it.
    return torch.where(found == highest[:, 0], found - BELOW * (found - lowest), found)


@torch.inference_mode()
def overlaps(outputs: Iterable[Tensor], masks: Tensor, units: Tensor, concepts: int) -> Overlaps:
    """Maps, made as large as the masks and cut at the thresholds `units`, (units,), over masks of concepts.

    masks: (images, height, width), whole numbers, 0 where there is no concept and `concepts` the last of them. All
    pixels of all images count together; the errors are of a ratio of sums over images.
    """
    sums = torch.zeros(5, len(units), concepts, dtype=torch.float64)
    sizes, maxima, number = torch.zeros(len(units), dtype=torch.float64), [], 0
    for output in outputs:
        found = maps(output).float().cpu()
        maxima.append(found.flatten(2).amax(2))
        for one in found:  # one at a time: maps as large as masks would fill gigabytes
            larger = F.interpolate(one[None], masks.shape[1:], mode="bilinear", align_corners=False)[0]
            fires = (larger > units[:, None, None]).flatten(1).float()
            holds = F.one_hot(masks[number].long().flatten(), concepts + 1)[:, 1:].float()  # (pixels, concepts)
            both = (fires @ holds).double()
            either = fires.sum(1, keepdim=True) + holds.sum(0) - both
            sums += torch.stack([both, either, both * both, both * either, either * either])
            sizes += fires.sum(1)
            number += 1
    both, either, both_both, both_either, either_either = sums
    ratio = both / either.clamp_min(1)
    spread = both_both - 2 * ratio * both_either + ratio.square() * either_either
    return Overlaps(ratio, spread.clamp_min(0).sqrt() / either.clamp_min(1), sizes, torch.cat(maxima))
