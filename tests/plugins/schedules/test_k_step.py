from ganbench_plugins.schedules.k_step import KStep


def test_k_moves_of_d_before_every_move_of_g():
    assert [KStep(k=3).discriminator_steps(step) for step in range(4)] == [3, 3, 3, 3]


def test_the_papers_default_is_one():
    assert KStep().discriminator_steps(0) == 1
