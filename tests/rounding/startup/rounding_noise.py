"""Rounding noise (Monte Carlo arithmetic, as Verrou and verificarlo do it) for PyTorch, numpy, scipy and math.

Addition, multiplication, division and square root of single numbers are the same on every processor: IEEE 754 says so.
Sums, products of matrices, solvers and transcendental functions are not. Each library adds in an order of its own,
fuses products with sums where the processor can, and has its own polynomials. So their results move here at random by
up to four units in the last place. What a test or a chapter says after that, it says on every processor.

* What is exact stays: a whole number below 2^24 in float32 and 2^53 in float64, and whatever has its last bits zero, as
  sums of integers, of halves and of quarters have.
* The noise is a hash of the result's bits and of the seed. So equal results of one call stay equal, and the same call
  gives the same again. Sums, products of matrices and solvers have the shapes in their hash, too: the order of a sum
  depends on the batch it stands in.
* A value that cannot pass 1 (a sine, a weight of a softmax) does not pass 1.
"""

import ctypes
import functools
import importlib.abc
import importlib.util
import math
import struct
import sys
import zlib


def _names(text):
    return frozenset(text.split())


# Sums, products of matrices, solvers: by their names in ATen, without the underscore of the in-place ones.
SUMS = _names("""
    sum nansum mean nanmean var std var_mean std_mean prod cumsum cumprod logcumsumexp trace norm dist renorm logsumexp
    dot vdot mv mm bmm addmm addmv addbmm baddbmm addr matmul linear linalg_vector_norm linalg_matrix_exp _cdist_forward
    _pdist_forward _euclidean_dist _trilinear convolution _convolution mkldnn_convolution
    index_add scatter_add scatter_reduce index_reduce segment_reduce _segment_reduce_backward bincount
    histc _softmax _log_softmax _softmax_backward_data _log_softmax_backward_data native_layer_norm
    native_layer_norm_backward native_batch_norm native_group_norm mse_loss binary_cross_entropy nll_loss_forward
    binary_cross_entropy_with_logits smooth_l1_loss huber_loss _scaled_dot_product_flash_attention_for_cpu
    _scaled_dot_product_flash_attention_for_cpu_backward _scaled_dot_product_attention_math
    linalg_solve_ex _linalg_solve_ex linalg_solve linalg_inv_ex linalg_inv _linalg_det _linalg_slogdet linalg_lu
    linalg_lu_factor_ex linalg_lu_solve lu_unpack linalg_cholesky_ex cholesky cholesky_solve cholesky_inverse linalg_qr
    linalg_householder_product geqrf linalg_eig linalg_eigvals _linalg_eigvals _linalg_eigh linalg_eigh _linalg_svd
    linalg_svd linalg_lstsq linalg_pinv linalg_solve_triangular triangular_solve linalg_ldl_factor_ex linalg_ldl_solve
    _fft_r2c _fft_c2r _fft_c2c
""")
# Functions of single numbers; and those that may or may not fuse a product with a sum, or draw by a logarithm.
FUNCTIONS = _names("""
    exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf erfc
    erfinv lgamma mvlgamma digamma polygamma igamma igammac sigmoid log_sigmoid_forward log_sigmoid_backward softplus
    softplus_backward gelu gelu_backward silu silu_backward mish elu logit pow hypot logaddexp logaddexp2 xlogy sinc i0
    rsqrt special_i0e special_i1 special_i1e special_ndtri special_log_ndtr special_ndtr special_entr special_erfcx
    special_zeta special_xlog1py special_bessel_j0 special_bessel_j1 addcmul addcdiv lerp linalg_cross linspace logspace
    normal exponential log_normal cauchy
""")
# Never above 1 in size, on any processor.
BOUNDED = {"sin", "cos", "tanh", "erf", "sigmoid", "_softmax", "ndtr", "expit", "softmax", "special_ndtr"}
# One or two rounded steps, or none: x * x, sqrt(x), 1 / x, ...
PLAIN_POWERS = {0, 0.5, 1, 2, -1}

# Functions of math, and of numpy with their linear algebra and that of scipy.
MATH = _names("""
    exp expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf erfc gamma
    lgamma pow
""")
UFUNCS = _names("""
    exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh
    power float_power logaddexp logaddexp2 hypot cbrt
""")
REDUCTIONS = _names("""
    sum prod cumsum cumprod trace corrcoef dot inner vdot tensordot einsum matmul vecdot convolve correlate
    trapezoid polyfit polyval
""")
LINALG = _names("""
    norm solve inv det slogdet eig eigh eigvals eigvalsh svd svdvals qr cholesky lstsq pinv matrix_power multi_dot
    solve_triangular expm logm sqrtm null_space orth schur
""")

_FORMATS = {"float64": (64, 8, 2.0**53), "float32": (32, 4, 2.0**24)}  # bits, last bits, largest whole number


class Noise:
    """Moves results by up to ``units`` units in the last place, in a way that ``seed`` decides."""

    def __init__(self, seed, units=4):
        self.seed, self.units = seed, units

    def salt(self, *what):
        """A number of 31 bits for this seed and whatever the noise may depend on."""
        return zlib.crc32(repr((self.seed, *what)).encode()) >> 1

    # One number ------------------------------------------------------------------------------------------------------

    def number(self, value, salt):
        """A Python float, moved."""
        (bits,) = struct.unpack("<q", struct.pack("<d", value))
        if not bits & 255 or not math.isfinite(value) or abs(value) < 1e-300 or value == math.floor(value):
            return value
        mixed = (bits ^ salt) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        step = (mixed >> 40 & 0xFFFF) * (2 * self.units + 1) >> 16
        return struct.unpack("<d", struct.pack("<q", bits + step - self.units))[0]

    # Arrays of numpy -------------------------------------------------------------------------------------------------

    def array(self, value, salt, name=""):
        """A numpy array or scalar of float64, float32 or complex128, moved; everything else as it is."""
        import numpy as np

        if isinstance(value, float):
            moved = self.number(float(value), salt)
            moved = max(-1.0, min(1.0, moved)) if name in BOUNDED else moved
            return type(value)(moved)
        if isinstance(value, tuple):
            moved = [self.array(each, salt, name) for each in value]
            return type(value)(*moved) if hasattr(value, "_fields") else tuple(moved)
        if isinstance(value, np.generic) and value.dtype.kind in "fc":
            return self.array(np.array([value]), salt, name)[0]
        if not isinstance(value, np.ndarray) or not value.size:
            return value
        if value.ndim == 0:
            return self.array(value.reshape(1), salt, name).reshape(())
        if value.dtype == np.complex128:
            out = np.ascontiguousarray(value)
            return self.array(out.view(np.float64), salt).view(np.complex128).reshape(value.shape)
        if value.dtype.name not in _FORMATS:
            return value
        width, last, whole = _FORMATS[value.dtype.name]
        real = np.asarray(value)
        bits = real.view(f"i{width // 8}").astype(np.uint64)
        mixed = (bits ^ np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xBF58476D1CE4E5B9)
        step = ((mixed >> np.uint64(40) & np.uint64(0xFFFF)) * np.uint64(2 * self.units + 1) >> np.uint64(16)).astype(
            int
        )
        size = np.abs(real)
        stays = (bits & np.uint64(2**last - 1) == 0) | ~np.isfinite(real) | (size < np.finfo(real.dtype).tiny * 2**8)
        stays |= (real == np.floor(real)) & (size <= whole)
        step = np.where(stays, 0, step - self.units)
        moved = (real.view(f"i{width // 8}") + step.astype(f"i{width // 8}")).view(real.dtype)
        if name in BOUNDED:
            moved = moved.clip(-1, 1)
        if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
            return moved.view(type(value))
        return moved

    # Tensors ---------------------------------------------------------------------------------------------------------

    def tensor_(self, value, salt, name=""):
        """A tensor of a floating or complex dtype, moved in place."""
        import torch

        if value.numel() == 0:
            return
        if value.is_complex():
            value = torch.view_as_real(value.resolve_conj())
        units = self.units
        if value.dtype == torch.float64:
            view, last, whole, shift = torch.int64, 255, 2.0**53, 47
        elif value.dtype == torch.float32:
            view, last, whole, shift = torch.int32, 15, 2.0**24, 15
        elif value.dtype in (torch.float16, torch.bfloat16):
            # Sums are kept in float32 and rounded once: one unit is all that an order can change.
            view, last, whole, shift, units = torch.int16, 3, 2.0**8, 3, 1
        else:
            return
        bits = value.view(view)
        if view == torch.int64:
            mixed = (bits ^ salt).mul_(-7046029254386353131)
            mixed.bitwise_xor_(mixed >> 29).mul_(-4658895280553007687)
        else:
            mixed = (bits ^ (salt & (0x7FFF if view == torch.int16 else 0x7FFFFFFF))).to(torch.int32).mul_(-1640531535)
            mixed.bitwise_xor_(mixed >> 15).mul_(-2048144789)
            shift = 15
        step = mixed.bitwise_right_shift_(shift).bitwise_and_(0xFFFF).mul_(2 * units + 1).bitwise_right_shift_(16)
        step.sub_(units)
        size = value.abs()
        moves = (bits & last).ne_(0) & size.isfinite() & (size >= torch.finfo(value.dtype).tiny * 2**8)
        moves &= (value != value.floor()) | (size > whole)
        bits.add_(step.mul_(moves).to(view))
        if name in BOUNDED:
            value.clamp_(-1, 1)

    def mode(self):
        """The dispatch mode that sees every operation of PyTorch."""
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        noise = self

        class Mode(TorchDispatchMode):
            def __torch_dispatch__(self, function, types, arguments=(), options=None):
                name = function._schema.name.removeprefix("aten::").rstrip("_")
                if name == "mean" and plain(arguments[0]) and "out" not in (options or {}):
                    # The sum moves, not its quotient by a number: the mean of whole numbers is the same everywhere.
                    total = torch.sum(*arguments, **(options or {}))
                    count = arguments[0].numel() / max(1, total.numel())
                    if count > 2:
                        noise.tensor_(total, noise.salt(name, tuple(arguments[0].shape)))
                    return total / count
                out = function(*arguments, **(options or {}))
                found = [each for each in (out if isinstance(out, tuple) else (out,)) if plain(each)]
                if not found:
                    return out
                if name in SUMS:
                    shapes = [tuple(each.shape) for each in arguments if isinstance(each, torch.Tensor)]
                    if one_term(name, shapes, found):
                        return out
                    salt = noise.salt(name, shapes)
                elif name in FUNCTIONS:
                    if name == "pow" and not torch.is_tensor(arguments[1]) and arguments[1] in PLAIN_POWERS:
                        return out
                    salt = noise.salt(name)
                else:
                    return out
                for each in found:
                    noise.tensor_(each, salt, name)
                return out

        def plain(each):
            # Fake tensors and tensors on "meta" have no bits to move.
            return (
                type(each) in (torch.Tensor, torch.nn.Parameter)
                and each.device.type in ("cpu", "cuda")
                and (each.is_floating_point() or each.is_complex())
            )

        def one_term(name, shapes, found):
            """Whether nothing is added, or two numbers are, which is the same on every processor."""
            if not shapes:
                return False
            if name in ("mm", "bmm"):
                return shapes[0][-1] <= 1
            if name in ("sum", "linalg_vector_norm", "prod", "logsumexp"):
                terms = math.prod(shapes[0]) // max(1, found[0].numel())
                return terms <= (1 if name in ("linalg_vector_norm", "logsumexp") else 2)
            return False

        return Mode()

    # Switching it on -------------------------------------------------------------------------------------------------

    def wrapped(self, function, name, *, shaped):
        """A function of numpy, scipy or math, whose results move."""
        return _Moved(self, function, name, shaped)

    def at_import(self):
        """Switch the noise on: now for math, for the others as soon as somebody has imported them."""
        for name in MATH:
            setattr(math, name, self._of_math(getattr(math, name), name))
        hooks = {"numpy": self.numpy, "scipy.special": self.special, "scipy.linalg": self.linalg,
                 "scipy.optimize": self.optimize, "torch": self.torch}  # fmt: skip
        sys.meta_path.insert(0, _Afterwards(hooks))

    def _of_math(self, function, name):
        salt = self.salt(name)

        @functools.wraps(function)
        def moved(*arguments):
            value = self.number(function(*arguments), salt)
            return max(-1.0, min(1.0, value)) if name in BOUNDED else value

        return moved

    def torch(self, torch):
        """Enter the mode for good. Nothing is compiled: a compiler would not see the mode."""
        torch.compile = lambda function=None, **_: function or (lambda each: each)
        self.mode().__enter__()

    def numpy(self, numpy):
        """Replace numpy's functions. Its operator @ and its methods go through two places of their own."""
        for name in UFUNCS:
            setattr(numpy, name, self.wrapped(getattr(numpy, name), name, shaped=False))
        for name in REDUCTIONS:
            setattr(numpy, name, self.wrapped(getattr(numpy, name), name, shaped=True))
        for name in LINALG:
            if hasattr(numpy.linalg, name):
                moved = self.wrapped(getattr(numpy.linalg, name), name, shaped=True)
                setattr(numpy.linalg, name, moved)
                setattr(numpy.linalg._linalg, name, moved)
        # What the methods of an array and numpy's mean and var add by: the sum moves, not its quotient by a number.
        methods = numpy._core._methods
        for name in ("umr_sum", "umr_prod"):
            setattr(methods, name, self.wrapped(getattr(methods, name), name.removeprefix("umr_"), shaped=True))
        self._operator(numpy)

    def _operator(self, numpy):
        # ndarray's slot nb_matrix_multiply: the 13th pointer of a type leads to the slots, and it is the 35th of those.
        kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object)
        slots = ctypes.c_void_p.from_address(id(numpy.ndarray) + 12 * ctypes.sizeof(ctypes.c_void_p)).value
        slot = ctypes.c_void_p.from_address(slots + 34 * ctypes.sizeof(ctypes.c_void_p))
        product = self.wrapped(kind(slot.value), "matmul", shaped=True)

        def careful(first, second):
            try:
                return product(first, second)
            except Exception:  # a slot written in Python cannot raise: Python then says TypeError
                return NotImplemented

        self._kept = kind(careful)  # kept: numpy calls it from now on
        slot.value = ctypes.cast(self._kept, ctypes.c_void_p).value

    def special(self, special):
        """Replace the special functions of scipy."""
        for name in special.__all__:
            if hasattr(special._ufuncs, name) and name not in ("binom", "comb"):
                setattr(special, name, self.wrapped(getattr(special, name), name, shaped=False))

    def linalg(self, linalg):
        """Replace the linear algebra of scipy."""
        for name in LINALG:
            if hasattr(linalg, name):
                setattr(linalg, name, self.wrapped(getattr(linalg, name), name, shaped=True))

    def optimize(self, optimize):
        """Replace the two solvers of scipy that call no function of Python, which would move by itself."""
        for name in ("nnls", "linprog"):
            setattr(optimize, name, self.wrapped(getattr(optimize, name), name, shaped=True))


class _Moved:
    """A function whose results move, and which is in everything else what it was."""

    def __init__(self, noise, function, name, shaped):
        self._noise, self._function, self._name, self._shaped = noise, function, name, shaped
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments, **options):
        out = self._function(*arguments, **options)
        shapes = [getattr(each, "shape", None) for each in arguments] if self._shaped else []
        salt = self._noise.salt(self._name, shapes)
        if hasattr(out, "items"):  # what a solver of scipy gives: a dictionary with names
            for key, value in out.items():
                out[key] = self._noise.array(value, salt)
            return out
        if self._shaped and self._few_terms(shapes, out):
            return out
        moved = self._noise.array(out, salt, self._name)
        if options.get("out") is not None and moved is not out:
            target = options["out"][0] if isinstance(options["out"], tuple) else options["out"]
            target[...] = moved
            return target
        return moved

    def _few_terms(self, shapes, out):
        if self._name not in ("sum", "prod") or not shapes or shapes[0] is None:
            return False
        return math.prod(shapes[0]) <= 2 * math.prod(getattr(out, "shape", ()))

    def __getattr__(self, name):
        return getattr(self._function, name)

    def __reduce__(self):
        return self._function.__reduce__()


class _Afterwards(importlib.abc.MetaPathFinder):
    """Does something to a module as soon as it is imported."""

    def __init__(self, hooks):
        self._hooks = hooks

    def find_spec(self, name, path=None, target=None):
        hook = self._hooks.pop(name, None)
        if hook is None:
            return None
        spec = importlib.util.find_spec(name)
        first = spec.loader.exec_module

        def exec_module(module):
            first(module)
            hook(module)

        spec.loader.exec_module = exec_module
        return spec
