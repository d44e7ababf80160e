"""The weights of a TFLite file in half the space or a quarter of it; the front end's constants as they are.

A DFT or a mel filter in 8 bits would bend every feature, and these constants weigh little: whatever bears
the front end's name keeps float32, and so does what measures the distance from training. The rest is
rounded to float16 and turned back on loading, or to 8-bit integers by output channel, with activations
quantised clip by clip as they come ("dynamic range").
"""

from __future__ import annotations

from typing import Any

from vocemo.bundle import Weights
from vocemo.lab.export.tflite_file import packed

# A part of the graph is known by the path of the modules that it comes from.
OF_THE_MODEL = r"^(?!.*(front_end|Distance)).*"


def store_weights(content: bytes, weights: Weights) -> bytes:
    """A float32 TFLite file's bytes with its model's weights stored as float16 or int8."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_quantizer.quantizer import Quantizer

    if weights == "float32":
        return content
    quantizer = Quantizer(content)
    quantizer.load_quantization_recipe(_float16() if weights == "float16" else _int8())
    stored = bytes(quantizer.quantize().quantized_model)
    return packed(schema.ModelT.InitFromPackedBuf(stored), stored)


def _float16() -> Any:
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipe = RecipeManager()
    recipe.add_quantization_config(
        regex=OF_THE_MODEL,
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(
                num_bits=16, dtype=qtyping.TensorDataType.FLOAT
            ),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key=AlgorithmName.FLOAT_CASTING,
    )
    return recipe.get_quantization_recipe()


def _int8() -> Any:
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipe = RecipeManager()
    recipe.add_dynamic_config(
        regex=OF_THE_MODEL,
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        num_bits=8,
    )
    # Its kernel takes no 8-bit left side; a dense layer is no batched product and is not left out by this.
    recipe.add_quantization_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.BATCH_MATMUL,
        algorithm_key=AlgorithmName.NO_QUANTIZE,
    )
    return recipe.get_quantization_recipe()
