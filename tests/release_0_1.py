"""What was public in release 0.1: its modules, their names, and the names that its documentation had."""

from __future__ import annotations

OLD_MODULES = """
-: capacity synthetic
capacity: arrays bits bounds channels checkpoints checks claims cli cli_claims cli_latent cli_list cli_output
    cli_report cli_samples console curves data devices encoders estimators executors groups handmade html instruments
    joint labels lanes latent latent_arrays latent_shared memory models names parts plots plots_bracket plots_latent
    plots_samples plugins progress refusals report request rows sealed stack start store systems theory
    theory_training training trends
capacity.bounds: additive annealing blocks controls decoder enumeration flips gaussian_posterior layers listed
    marginal measure mixture neighbours pilot receiver stack_approximation
capacity.channels: atoms binarised binary channel dropout echo fsq gaussian gaussian_dropout information_dropout
    learnt_gaussian numerical quantized stochastic_depth then uniform variational_dropout
capacity.claims: binary claim classifier deterministic dropout experiment gaussian gaussian_dropout generalization
    generation gradient_noise handmade input_noise measured memorization minibatch noisy_training one_to_many outcome
    quantized run small_data stale_gradient statistics stochastic_depth temperature training_figure uniform
    useless_features vae
capacity.estimators: auto boxes copula directions entropy entropy_discrete estimate estimator evidence feature_maps
    features gaussian ksg lnc mixed neighbours neural nonlinear_cca pairs plugin profile scorer student student_copula
    student_law
capacity.estimators.neural: autoregressive barber_agakov club critic_bounds critics densities entropy_difference
    held_out prepare representation residual training
capacity.handmade: binary_linear code constellation exact fsq hamming lloyd_max pam pca repetition
capacity.instruments: figure gradients held_out hessian lanczos memorised trace weights
capacity.memory: binary_perceptron extrapolate perceptron random_labels
capacity.models: decoders mlp product
capacity.report: claims_page command curve_page drawing marks page
capacity.systems: architecture binary constraints deterministic dropout gaussian gaussian_dropout handmade
    information_dropout input_noise mirrored one_to_many quantized recipe stochastic_depth uniform useless_features
    vae vae_target variational_dropout
capacity.theory: binary blahut_arimoto gaussian interior_point noise
capacity.training: fit noises sweep training watch
capacity.training.noises: annealed label_noise langevin minibatch stale
synthetic: algebra codebook codes digits discrete embeddings gaussian images pairs product quadrature source
synthetic.pairs: additive bends circle composed elliptical heteroscedastic maps mixture normal pair pi student tasks
"""

OLD_NAMES = """
capacity: Architecture Bracket Estimate GaussianSystem Joint Latent Layer Stack Training VAE capacity_curve choose
    estimate information_scorer measure measure_latent measure_layers pairwise plan_curve
capacity.bounds: Ceiling Decoder Enumeration MaximumEntropy Mixture Rate Receiver measure measure_layers
capacity.channels: Binarised BinarySymmetric Channel Code Dropout Echo Erasure FSQ Gaussian GaussianDropout
    InformationDropout LearntGaussian Posterior Quantized Scaled StochasticBinarised StochasticDepth Then Uniform
    VariationalDropout residual_outcomes unit_capacity
capacity.claims: Answer CLAIMS Claim Context Evidence Outcome Prediction examine
capacity.estimators: Auto BarberAgakov CLUB Candidate Choice DonskerVaradhan EntropyDifference Estimator FeatureCCA
    Gaussian GaussianCopula InfoNCE KSG MINE Mixed NWJ PlugIn Representation Ross SMILE Student StudentCopula
    ThreeEntropies choose differential_entropy estimate information_scorer pairwise
capacity.estimators.neural: BarberAgakov CLUB Comparison DonskerVaradhan EntropyDifference InfoNCE Joint MINE NWJ
    Representation Residual SMILE Separable Stopping
capacity.handmade: Constellation FSQ Hamming HandmadeCode LloydMax PAM PCA Repetition
capacity.instruments: Bits Figure GradientStatistics Spectrum cosine_to_full gap_bits gauss_newton_product
    gaussian_divergence generalization_bound gradient_statistics hessian_product hutchinson label_bits lanczos
    largest_eigenvalues memorised_bits noisy_descent_information posterior_information student_interval
capacity.memory: Limit Noise Recall is_separable longest_memory longest_separable many_weights memorise
    parameter_count reinforced_search separable_counts
capacity.models: ACTIVATIONS AutoregressiveBits GaussianMessage MLP
capacity.report: report write_report
capacity.systems: Architecture BinarySystem Constraint DeterministicSystem DropoutSystem GaussianDropoutSystem
    GaussianSystem HandmadeSystem InformationDropoutSystem InputNoiseSystem OneToManySystem Params QuantizedSystem
    Recipe SYSTEMS StochasticDepthSystem TargetVAE UniformSystem UselessFeaturesSystem VAE VariationalDropoutSystem
    merge
capacity.theory: Capacity Floats amplitude_limited_gaussian binary_entropy binary_input_gaussian
    binary_symmetric_capacity binary_symmetric_repetition blahut_arimoto coin_information erasure_information
    gaussian_capacity gaussian_chain_capacity gaussian_dropout_information gaussian_noise_information linear_vae
    pam_information path_information scalar_capacity uniform_coin_information uniform_noise_information
    z_channel_capacity z_channel_information
capacity.training: LaneState Training Watched cosine_adam fit fit_watched front_of lanes_together log_decoder_of
    measurement_key pad_lanes sender sweep
capacity.training.noises: annealed_noise average_minibatch flip_labels langevin minibatch randomly_stale_gradients
    stale_gradients
synthetic: Batch MAX_LISTED SOURCES Source Codebook LinearCode PiDigits FairBits MarkovBits Embedded GaussianVectors
    Sprites Product
"""

DOCUMENTED = """
capacity.bits: NATS Z95 from_values interval reaching stretched sure unseen share less_explained Estimate Bracket
capacity.bounds.enumeration: Enumeration UnitBits unit_information
capacity.bounds.measure: METHODS measure
capacity.claims.claim: decide miss_rate
capacity.claims.generation: SYMBOLS excess_bits
capacity.claims.measured: draw_curve train_and_enumerate
capacity.claims.run: run_claim
capacity.claims.small_data: SmallData
capacity.claims.stale_gradient: measured_limits
capacity.claims.statistics: difference
capacity.cli: main app
capacity.curves: CurvePlan Progress capacity_curve plan_curve versions
capacity.devices: set_devices
capacity.estimators: ESTIMATORS
capacity.estimators.estimator: Change Takes checked result
capacity.estimators.features: FeatureCCA
capacity.estimators.gaussian: Gaussian
capacity.estimators.ksg: scaled
capacity.estimators.neighbours: nearest
capacity.estimators.profile: profile
capacity.executors: Engine engine_of given
capacity.joint: Joint
capacity.plots: figure plot_bits plot_units
capacity.plots_bracket: plot_trace
capacity.plots_latent: plot_growth plot_rate plot_shared plot_units
capacity.plots_samples: plot_heat_map plot_profile
capacity.plugins: Registry
capacity.store: Store StoreError read_curves write_csv write_curves
capacity.systems.recipe: Recipe
capacity.theory_training: PERCEPTRON_CAPACITY delay_limit separable sgd_variance
capacity.training.fit: apply
synthetic.digits: compressed_bits pi_digits
"""


def table(text: str) -> dict[str, list[str]]:
    """Rows "module: names ..." that may go on in indented lines."""
    rows = (row.split(": ") for row in text.strip().replace("\n    ", " ").splitlines())
    return {module: names.split() for module, names in rows}
