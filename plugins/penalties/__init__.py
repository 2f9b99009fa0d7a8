"""What is bundled to be added to a loss with `+`."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_penalties() -> dict[str, str]:
    return {
        "bcr": "ganbench_plugins.penalties.consistency:BalancedConsistency",
        "cr": "ganbench_plugins.penalties.consistency:Consistency",
        "diffaug": "ganbench_plugins.penalties.diff_augment:DiffAugment",
        "dragan": "ganbench_plugins.penalties.dragan:Dragan",
        "gp": "ganbench_plugins.penalties.gradient:GradientPenalty",
        "instance-noise": "ganbench_plugins.penalties.instance_noise:InstanceNoise",
        "lecam": "ganbench_plugins.penalties.lecam:LeCam",
        "lp": "ganbench_plugins.penalties.gradient:LipschitzPenalty",
        "maxgp": "ganbench_plugins.penalties.gradient:MaxGradientPenalty",
        "pull-away": "ganbench_plugins.penalties.pulling_away:PullingAway",
        "r1": "ganbench_plugins.penalties.zero_centred:R1",
        "r2": "ganbench_plugins.penalties.zero_centred:R2",
        "top-k": "ganbench_plugins.penalties.top_k:TopK",
        "zcr": "ganbench_plugins.penalties.latent_consistency:LatentConsistency",
        "zero-gp": "ganbench_plugins.penalties.zero_centred:ZeroCentred",
    }
