import torch

from samovar_forecast.network.factors import common_factors


def made_of_factors(n_series=40, noise=0.05):
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(3, 200, generator=generator, dtype=torch.float64).cumsum(-1)
    loadings = torch.randn(n_series, 3, generator=generator, dtype=torch.float64)
    shocks = torch.randn(n_series, 200, generator=generator, dtype=torch.float64)
    return (loadings @ factors + noise * shocks)[None]


def test_factors_and_loadings_rebuild_what_the_series_share():
    series = made_of_factors()
    factors, loadings = common_factors(series, torch.ones_like(series), 200)
    rebuilt = loadings @ factors + series.mean(-1, keepdim=True)
    assert (rebuilt - series).square().mean() < 0.01


def test_the_order_and_the_units_of_the_series_do_not_matter():
    series = made_of_factors()
    factors, loadings = common_factors(series, torch.ones_like(series), 200)
    turned, its_loadings = common_factors(series.flip(1) * 7 + 3, torch.ones_like(series), 200)
    torch.testing.assert_close(its_loadings @ turned / 7, (loadings @ factors).flip(1))


def test_values_that_do_not_count_are_not_read():
    series = made_of_factors()
    counts = torch.ones_like(series)
    counts[:, 5, 50:80] = 0
    changed = series.clone()
    changed[:, 5, 50:80] = 1e6
    for mine, its in zip(
        common_factors(series, counts, 200), common_factors(changed, counts, 200), strict=True
    ):
        torch.testing.assert_close(mine, its)


def test_rows_that_say_nothing_of_the_loadings_are_read_by_them():
    series = made_of_factors()
    factors, loadings = common_factors(series, torch.ones_like(series), 120)
    changed = series.clone()
    changed[..., 120:] += 5
    turned, same = common_factors(changed, torch.ones_like(series), 120)
    torch.testing.assert_close(same, loadings)
    torch.testing.assert_close(turned[..., :120], factors[..., :120])
    mean = series[..., :120].mean(-1, keepdim=True)
    assert (loadings @ factors + mean - series).square().mean() < 0.01
