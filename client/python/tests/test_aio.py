"""The asynchronous client against the same server."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import genoserve
from conftest import CuttingProxy
from genoserve import Client, aio


def test_the_same_cohorts(client: Client, genoserve_server: str) -> None:
    async def run() -> None:
        async with aio.Client(genoserve_server) as other:
            assert [model.name for model in await other.models()] == ["five-populations", "mice", "tiny"]
            assert len(await other.variants("tiny", "1:1-5000")) == 5
            cohorts = await asyncio.gather(*(other.fetch("tiny", 500, seed=seed) for seed in (1, 2)))
            for seed, cohort in zip((1, 2), cohorts):
                np.testing.assert_array_equal(cohort.packed, client.fetch("tiny", 500, seed=seed).packed)
            count = 0
            stream = other.stream("mice", 5000, seed=1, pheno={"weight": 2.0})
            async for batch in stream:
                assert set(batch.phenotypes["weight"]) == {2.0}
                count += len(batch)
            assert count == stream.received == 5000
            assert stream.digest is not None

    asyncio.run(run())


def test_a_cut_connection_costs_nothing(client: Client, cutting_proxy: CuttingProxy) -> None:
    async def run() -> genoserve.Cohort:
        async with aio.Client(cutting_proxy.address) as through:
            return await through.fetch("tiny", 30_000, seed=7)

    cohort = asyncio.run(run())
    assert cutting_proxy.connections >= 4
    np.testing.assert_array_equal(cohort.packed, client.fetch("tiny", 30_000, seed=7).packed)


def test_closing_ends_a_stream(genoserve_server: str) -> None:
    async def run() -> None:
        async with aio.Client(genoserve_server) as client:
            stream = client.stream("tiny", 50_000_000)
            await stream.__anext__()
            await stream.aclose()
            with pytest.raises(genoserve.StoppedError):
                await stream.__anext__()
            blocked = client.stream("tiny", 50_000_000)
            await blocked.__anext__()

            async def drain() -> None:
                async for _ in blocked:
                    pass

            reading = asyncio.create_task(drain())
            await asyncio.sleep(0)
            await client.close()
            with pytest.raises(genoserve.StoppedError):
                await reading

    asyncio.run(run())


def test_a_cancelled_task_is_cancelled(genoserve_server: str) -> None:
    async def run() -> None:
        async with aio.Client(genoserve_server) as client:
            task = asyncio.create_task(client.fetch("tiny", 50_000_000))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_errors_have_their_types(genoserve_server: str) -> None:
    async def run() -> None:
        async with aio.Client(genoserve_server) as client:
            with pytest.raises(genoserve.NotFoundError, match="nobody"):
                await client.fetch("nobody", 5)
            with pytest.raises(genoserve.UsageError):
                client.stream("tiny")

    asyncio.run(run())
