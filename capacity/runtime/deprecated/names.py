"""Names of release 0.1 that changed: "old new" or "old new(old positional parameters)", without `capacity.`."""

from __future__ import annotations

RENAMED = """
GaussianSystem systems:GaussianAutoencoder
bits.NATS results.estimate:NATS_PER_BIT
bits.ROUNDING results.intervals:ROUNDING_TOLERANCE
bits.SURE results.estimate:CONSERVATIVE_ERRORS
bits.from_values results.estimate:Estimate.from_samples(nats kind limit controls)
bits.interval results.estimate:Estimate.from_normal(bits stderr kind limit n)
bits.reaching results.estimate:Estimate.widened_to
bits.share results.intervals:rule_of_three_bits
bits.stretched results.estimate:Estimate.scaled_interval
bits.sure results.estimate:Estimate.conservative
bits.unseen results.intervals:rule_of_three
bounds.annealing.Walks bounds.annealed.chains:Chains
bounds.annealing.dissipated bounds.annealed.chains:dissipation
bounds.annealing.walk bounds.annealed.chains:run_chains
bounds.enumeration.excess bounds.exact.rate:marginal_kl
bounds.listed.draw bounds.exact.listing:draw_listed
bounds.marginal.against bounds.variational.marginal:marginal_bound
bounds.measure.Engine bounds.annealed.sampler:Sampler
bounds.measure.Progress runtime.progress:Progress
bounds.measure.Side bounds.annealed.controlled_bounds:ControlledBounds
bounds.measure.check_walkable bounds.annealed.bracket:check_full_support
bounds.measure.untold bounds.annealed.controlled_bounds:prior_shortfall
bounds.measure.within bounds.annealed.tightest:clipped_to_source
bounds.neighbours.overlaps bounds.posterior.overlaps:flip_overlaps
bounds.pilot.Choice bounds.annealed.schedule:SamplingPlan
bounds.pilot.choose bounds.annealed.schedule:plan_sampling
bounds.pilot.price bounds.annealed.schedule:cost_of
bounds.pilot.relaid bounds.annealed.schedule:optimal_ladder
channels.Then channels:Chain
checks.checked curves.checks:with_checks
console.record curves.summary:curve_record
console.table curves.summary:curve_table
groups.Place curves.schedule:CheckpointPlace
groups.elsewhere curves.schedule:run_on_executor
groups.here curves.schedule:run_local
groups.in_step curves.schedule:run_distributed
groups.shared_by_all curves.schedule:broadcast_lanes
groups.work curves.schedule:run_group
handmade.FSQ systems.codes:FSQCode
handmade.exact.gaussian_information systems.codes.exact:constellation_information
handmade.fsq.FSQ systems.codes.fsq:FSQCode
lanes.Lanes curves.programs:LanePrograms
parts.count curves.parts:count_lanes
parts.keep curves.parts:save_lanes
parts.kept curves.parts:load_lanes
training.fit.apply training.fitting:apply_update
curves.Progress runtime.progress:Progress
estimators.Gaussian estimators:GaussianMI
estimators.estimator.checked estimators.checks:checked
estimators.estimator.result estimators.estimator:Estimate.from_nats(nats stderr kind n)
estimators.gaussian.Gaussian estimators.parametric.gaussian:GaussianMI
estimators.ksg.scaled estimators.neighbours.ksg:scaled_margins
estimators.neural.Joint estimators.neural:JointCritic
estimators.neural.critics.Joint estimators.neural.critics:JointCritic
executors.Engine runtime.executors:ExecutorPool
executors.engine_of runtime.executors:executor_pool
executors.given runtime.executors:pool_of
html.of_bracket results.estimate:Bracket._repr_html_
html.of_estimate results.estimate:Estimate._repr_html_
html.table results.html:html_table
instruments.Bits analysis.weights:LabelBits
instruments.Figure analysis.weights:MeanInterval
instruments.figure.Figure analysis.weights.interval:MeanInterval
instruments.held_out.Bits analysis.weights.held_out:LabelBits
instruments.hessian.Product analysis.weights.hessian:MatrixProduct
latent_shared.Shared analysis.latent.shared:SharedBits
lanes.Arrays runtime.files.parts:Arrays
parts.Parts runtime.files.parts:Parts
progress.Report runtime.progress:Progress
systems.BinarySystem systems:BinaryAutoencoder
systems.DeterministicSystem systems:DeterministicAutoencoder
systems.DropoutSystem systems:DropoutAutoencoder
systems.GaussianDropoutSystem systems:GaussianDropoutAutoencoder
systems.GaussianSystem systems:GaussianAutoencoder
systems.HandmadeSystem systems:FixedCode
systems.InformationDropoutSystem systems:InformationDropoutAutoencoder
systems.InputNoiseSystem systems:InputNoiseAutoencoder
systems.OneToManySystem systems:OneToManyAutoencoder
systems.QuantizedSystem systems:QuantizedAutoencoder
systems.Recipe systems:ChannelSystem
systems.StochasticDepthSystem systems:StochasticDepthAutoencoder
systems.UniformSystem systems:UniformAutoencoder
systems.UselessFeaturesSystem systems:UselessFeaturesAutoencoder
systems.VariationalDropoutSystem systems:VariationalDropoutAutoencoder
systems.mirrored.mirrored systems.antithetic:antithetic_codes
systems.mirrored.twice systems.antithetic:repeat_batch
systems.recipe.Recipe systems.base:ChannelSystem
training.front_of training.system:System.front
training.log_decoder_of training.system:System.log_decoder
training.training.front_of training.system:System.front
training.training.log_decoder_of training.system:System.log_decoder
"""
